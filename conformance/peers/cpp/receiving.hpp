// What a peer takes, and the samples that it holds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memlane/memlane.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "elements.hpp"
#include "form.hpp"
#include "options.hpp"
#include "payload.hpp"
#include "ports.hpp"
#include "verbs.hpp"

namespace conformance {

class Receiving {
 public:
  explicit Receiving(Ports& ports) : ports_(ports) {}

  void add_to(Verbs& verbs) {
    verbs.add<Receiving>(*this, {{"take", &Receiving::take},
                                 {"look", &Receiving::look},
                                 {"release", &Receiving::release},
                                 {"scribble", &Receiving::scribble}});
  }

  void clear() { held_.clear(); }

 private:
  /// What was received from one publisher, where there is too much to list.
  struct Run {
    std::uint64_t count = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    bool gapless = true;
    Crc32 crc;  // of all payloads, one after the other
  };

  void take(const Form& step, Form& reply) {
    auto& port = ports_.subscriber(step);
    const auto count = step.number<std::uint64_t>("count", std::numeric_limits<std::uint64_t>::max());
    const std::string via = step.text("via", "take");
    std::uint64_t taken = 0;
    const auto begin = Clock::now();
    if (via == "take") {
      while (taken < count) {
        auto sample = port.take(timeout_of(step));
        if (!sample) break;
        ++taken;
        receive(*sample, step, reply);
      }
    } else if (count != 0) {
      for (auto& sample : port.samples({.until_idle = via == "until-idle"})) {
        ++taken;
        receive(sample, step, reply);
        if (taken == count) break;
      }
    }
    reply.add("elapsed", Milliseconds(Clock::now() - begin).count());
    for (const auto& [sender, run] : std::exchange(runs_, {})) {
      Form line;
      line.add("sender", sender).add("count", run.count).add("first", run.first).add("last", run.last);
      reply.add("run", line.add("gapless", run.gapless).add("crc", run.crc.value()).line());
    }
  }

  void receive(memlane::Sample& sample, const Form& step, Form& reply) {
    if (step.text("report", "samples") == "runs") {
      Run& run = runs_[sample.sender().label];
      if (run.count++ == 0) run.first = run.last = sample.sequence() - 1;
      if (sample.sequence() != run.last + 1) run.gapless = false;
      if (run.count == 1) run.first = sample.sequence();
      run.last = sample.sequence();
      Windows{}.sum_up(sample.bytes(), run.crc);
    } else {
      reply.add("sample", describe(sample, step));
    }
    if (const auto name = step.find("hold")) held_[*name].push_back(std::move(sample));
  }

  static std::string describe(const memlane::Sample& sample, const Form& step) {
    const Windows windows{step.number<std::uint64_t>("stride", 0)};
    Crc32 crc;
    windows.sum_up(sample.bytes(), crc);
    const auto sender = sample.sender();
    Form line;
    line.add("sender", sender.label).add("pid", sender.pid).add("sequence", sample.sequence());
    line.add("bytes", sample.size()).add("crc", crc.value()).add("dtype", memlane::to_string(sample.dtype()));
    for (const std::uint64_t extent : sample.shape().dims()) line.add("shape", extent);
    line.add("encoding", sample.encoding()).add("header", to_hex(sample.user_header()));
    line.add("sent-time", static_cast<double>(sample.sent_time()) / 1e6);
    line.add("received-time", static_cast<double>(sample.received_time()) / 1e6);
    if (step.find("elements")) line.add("elements", check_elements(sample));
    return line.line();
  }

  /// Looks again at samples that are held: their payloads are still what they were.
  void look(const Form& step, Form& reply) {
    for (const auto& sample : named(held_, step.text("hold"))) reply.add("sample", describe(sample, step));
  }

  void release(const Form& step, Form&) {
    for (auto& sample : named(held_, step.text("hold"))) sample.release();
  }

  /// Writes where only the sender may: what C++ can do only by asking for a writable view and casting the const away.
  void scribble(const Form& step, Form&) {
    for (const auto& sample : named(held_, step.text("hold"))) {
      std::ranges::fill(std::span(const_cast<std::byte*>(sample.data()), sample.bytes().size()), std::byte{0xFF});
    }
  }

  Ports& ports_;
  std::map<std::string, std::vector<memlane::Sample>> held_;
  std::map<std::string, Run> runs_;
};

}  // namespace conformance
