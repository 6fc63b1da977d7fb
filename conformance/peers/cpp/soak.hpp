// Many samples in few steps, each checked where it arrives: what the torture is made of. Every sample carries in its user
// header who sent it, its number, its size and the sum of its bytes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <memlane/memlane.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "form.hpp"
#include "options.hpp"
#include "payload.hpp"
#include "ports.hpp"
#include "verbs.hpp"

namespace conformance {

class Soak {
 public:
  explicit Soak(Ports& ports) : ports_(ports) {}

  void add_to(Verbs& verbs) {
    verbs.add<Soak>(*this, {{"soak-send", &Soak::send}, {"soak-take", &Soak::take}, {"soak-release", &Soak::release}});
  }

  /// Sends `count` samples, or as many as there is room for.
  void send(const Form& step, Form& reply) {
    memlane::Publisher& port = ports_.publisher(step);
    const auto id = step.number<std::uint32_t>("id");
    const auto sizes = step.numbers<std::uint64_t>("bytes");
    const auto count = step.number<std::uint64_t>("count");
    const std::string how = step.text("how");
    const Milliseconds patience(step.number<double>("timeout"));
    std::uint64_t sequence = port.stats().sent;
    std::uint64_t bytes = 0;
    std::string refused;
    Stall stall;
    for (std::uint64_t i = 0; i < count && refused.empty(); ++i) {
      const std::uint64_t size = sizes[i % sizes.size()];
      stall.time(patience, [&] { refused = send_one(port, how, size, patience, {id, 0, sequence + 1, size}); });
      if (!refused.empty()) break;
      ++sequence;
      bytes += size;
    }
    reply.add("sequence", sequence).add("bytes", bytes).add("refused", refused).add("stall", stall.longest());
  }

  /// Takes up to `count` samples, and keeps every n-th of them if `keep` is n.
  void take(const Form& step, Form& reply) {
    memlane::Subscriber& port = ports_.subscriber(step);
    const auto count = step.number<std::uint64_t>("count");
    const auto keep = step.number<std::uint64_t>("keep", 0);
    const Milliseconds patience(step.number<double>("timeout"));
    const bool by_bell = step.text("via", "take") == "bell";
    std::string fault = step.text("fault", "");
    std::vector<Run> runs;
    std::map<std::uint32_t, std::size_t> latest;
    std::uint64_t taken = 0;
    std::uint64_t bytes = 0;
    Stall stall;
    while (taken < count) {
      std::optional<memlane::Sample> sample;
      stall.time(patience, [&] {
        if (by_bell) static_cast<void>(memlane::wait({port}, patience));
        sample = by_bell || patience.count() == 0 ? port.take() : port.take(patience);
      });
      if (!sample) break;
      ++taken;
      bytes += sample->size();
      const Header header = check(*sample, reply, fault == "change" ? 1U : 0U);
      for (int times = fault == "lose" ? 0 : (fault == "twice" ? 2 : 1); times > 0; --times) {
        add_to(runs, latest, header.id, sample->sequence());
      }
      fault.clear();
      if (keep != 0 && taken % keep == 0) kept_.push_back({std::move(*sample), header.crc});
    }
    for (const Run& run : runs) {
      reply.add("run", std::to_string(run.id) + ":" + std::to_string(run.first) + "-" + std::to_string(run.last));
    }
    reply.add("taken", taken).add("bytes", bytes).add("held", kept_.size()).add("stall", stall.longest());
  }

  /// Lets go of the `count` samples that were kept longest, whose payloads must still be what they were.
  void release(const Form& step, Form& reply) {
    const auto count = std::min<std::uint64_t>(step.number<std::uint64_t>("count"), kept_.size());
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto& [sample, crc] = kept_.front();
      if (sum_of(sample) != crc) {
        reply.add("wrong", "changed: sample " + std::to_string(sample.sequence()) + " of " + sample.sender().label +
                               " while it was held");
      }
      kept_.pop_front();
    }
    reply.add("released", count).add("held", kept_.size());
  }

  void clear() { kept_.clear(); }

 private:
  struct Header {
    std::uint32_t id;  // of the publisher
    std::uint32_t crc;
    std::uint64_t sequence;
    std::uint64_t bytes;
  };
  static_assert(sizeof(Header) == 24);

  /// Samples of one publisher that came one after the other.
  struct Run {
    std::uint32_t id;
    std::uint64_t first;
    std::uint64_t last;
  };

  struct Kept {
    memlane::Sample sample;
    std::uint32_t crc;
  };

  /// How much longer than asked for the slowest call took.
  class Stall {
   public:
    template <class Call>
    void time(Milliseconds patience, Call&& call) {
      const auto begin = std::chrono::steady_clock::now();
      call();
      longest_ = std::max(longest_, Milliseconds(std::chrono::steady_clock::now() - begin) - patience);
    }
    [[nodiscard]] double longest() const { return longest_.count(); }

   private:
    Milliseconds longest_{0};
  };

  /// The code of the error if there is no room for it; then nobody got it.
  static std::string send_one(memlane::Publisher& port, const std::string& how, std::uint64_t size,
                              Milliseconds patience, Header header) {
    const auto finish = [&](std::span<std::byte> bytes) {
      fill(bytes, header.id + header.sequence);
      Crc32 crc;
      crc.add(bytes);
      header.crc = crc.value();
    };
    const memlane::SendInfo info{.user_header = std::as_bytes(std::span(&header, 1))};
    try {
      if (how == "copy") {
        std::vector<std::byte> data(size);
        finish(data);
        port.send_copy(data, info);
        return "";
      }
      if (how == "waste") fill(port.loan(size).bytes(), 0);  // given up
      memlane::Loan loan = port.loan(size);
      finish(loan.bytes());
      if (how == "try") {
        const auto result = port.try_send(loan, info);
        return result ? "" : refusal(result.error());
      }
      port.send_within(loan, info, patience);
      return "";
    } catch (const memlane::Error& error) {
      return refusal(error);
    }
  }

  static std::string refusal(const memlane::Error& error) {
    switch (error.code()) {
      case memlane::ErrorCode::timeout:
      case memlane::ErrorCode::queue_full:
      case memlane::ErrorCode::budget_spent: return std::string(memlane::to_string(error.code()));
      default: throw error;
    }
  }

  static std::uint32_t sum_of(const memlane::Sample& sample) {
    Crc32 crc;
    crc.add(sample.bytes());
    return crc.value();
  }

  /// `flip`: what a fault does to the sum.
  static Header check(const memlane::Sample& sample, Form& reply, std::uint32_t flip) {
    Header header{};
    const auto sent = sample.user_header();
    if (sent.size() == sizeof header) std::memcpy(&header, sent.data(), sizeof header);
    const bool whole = header.sequence == sample.sequence() && header.bytes == sample.size() &&
                       header.crc == (sum_of(sample) ^ flip) &&
                       sample.sender().label == "soak-" + std::to_string(header.id);
    if (!whole) {
      reply.add("wrong", "changed: sample " + std::to_string(sample.sequence()) + " of " + sample.sender().label +
                             ", whose header says number " + std::to_string(header.sequence) + " of soak-" +
                             std::to_string(header.id) + ", " + std::to_string(header.bytes) + " bytes for " +
                             std::to_string(sample.size()));
    }
    return header;
  }

  static void add_to(std::vector<Run>& runs, std::map<std::uint32_t, std::size_t>& latest, std::uint32_t id,
                     std::uint64_t sequence) {
    const auto place = latest.find(id);
    if (place != latest.end() && runs[place->second].last + 1 == sequence) {
      ++runs[place->second].last;
    } else {
      latest[id] = runs.size();
      runs.push_back({id, sequence, sequence});
    }
  }

  Ports& ports_;
  std::deque<Kept> kept_;
};

}  // namespace conformance
