// What a peer sends, and its loans.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memlane/memlane.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "elements.hpp"
#include "form.hpp"
#include "leaving.hpp"
#include "options.hpp"
#include "payload.hpp"
#include "ports.hpp"
#include "verbs.hpp"

namespace conformance {

class Sending {
 public:
  Sending(Ports& ports, Leaving& leaving) : ports_(ports), leaving_(leaving) {}

  void add_to(Verbs& verbs) {
    verbs.add<Sending>(*this, {{"reserve", &Sending::reserve},
                               {"send", &Sending::send},
                               {"loan", &Sending::loan},
                               {"write-loan", &Sending::write_loan},
                               {"send-loan", &Sending::send_loan},
                               {"give-up", &Sending::give_up}});
  }

  /// How many samples the step at hand has sent so far, if it sends.
  [[nodiscard]] std::optional<std::uint64_t> progress() const noexcept { return progress_; }
  void begin_step() noexcept { progress_.reset(); }

  void clear() { loans_.clear(); }

 private:
  void reserve(const Form& step, Form&) {
    ports_.publisher(step).reserve(count_of(step, "bytes"), step.number("count", std::size_t{1}));
  }

  void send(const Form& step, Form& reply) {
    auto& port = ports_.publisher(step);
    const auto sizes = step.numbers<std::uint64_t>("bytes");
    const auto count = step.number<std::uint64_t>("count", std::max<std::uint64_t>(1, sizes.size()));
    const auto seed = step.number<std::uint64_t>("seed", 0);
    progress_ = 0;
    std::optional<std::size_t> reached = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      reached = send_one(port, step, sizes.empty() ? 0 : sizes[i % sizes.size()], seed + i);
      if (!reached) break;
      progress_ = i + 1;
    }
    if (const auto how = step.find("then-exit")) leaving_.leave(*how);
    reply.add("sent", *progress_).add("reached", reached ? std::to_string(*reached) : "none");
  }

  /// How many the sample went to; nothing if there was no room, and it did not wait.
  static std::optional<std::size_t> send_one(memlane::Publisher& port, const Form& step, std::uint64_t size,
                                             std::uint64_t seed) {
    const Windows windows{step.number<std::uint64_t>("stride", 0)};
    const auto header = from_hex(step.text("header", ""));
    const std::string encoding = step.text("encoding", "");
    const memlane::SendInfo info{encoding, header};
    const std::string how = step.text("how", "loan");
    if (step.find("dtype")) return send_elements(port, step, info, how);
    if (how == "copy") {
      std::vector<std::byte> data(size);
      windows.write(data, seed);
      return port.send_copy(data, info);
    }
    memlane::Loan loan = port.loan(size);
    windows.write(loan.bytes(), seed);
    if (how == "try") {
      auto result = port.try_send(loan, info);
      if (!result && result.error().code() == memlane::ErrorCode::queue_full) return std::nullopt;
      return result.value();
    }
    if (step.find("timeout")) return port.send_within(loan, info, timeout_of(step));
    return port.send(std::move(loan), info);
  }

  static std::size_t send_elements(memlane::Publisher& port, const Form& step, const memlane::SendInfo& info,
                                   const std::string& how) {
    const auto shape = shape_of(step);
    const auto dtype = dtype_of(step);
    return with_type(dtype, [&]<class T>() -> std::size_t {
      constexpr bool named = memlane::dtype_of<T> != memlane::DType::none;
      if constexpr (named && !std::is_same_v<T, bool>) {  // std::vector<bool> is no range of bool
        if (how == "copy") {
          std::vector<T> data(shape.element_count());
          for (std::size_t i = 0; i < data.size(); ++i) data[i] = element<T>(i);
          return port.send_copy(data, shape, info);
        }
      }
      memlane::Loan loan = port.loan(dtype, shape);
      auto* const elements = reinterpret_cast<T*>(loan.data());
      for (std::size_t i = 0; i < shape.element_count(); ++i) elements[i] = element<T>(i);
      return port.send(std::move(loan), info);
    });
  }

  void loan(const Form& step, Form&) {
    auto& port = ports_.publisher(step);
    const std::string name = step.text("loan");
    const bool typed = step.find("dtype").has_value() || step.find("shape").has_value();
    auto loan = typed ? port.loan(dtype_of(step), shape_of(step)) : port.loan(count_of(step, "bytes"));
    if (step.find("seed")) fill(loan.bytes(), step.number<std::uint64_t>("seed"));
    loans_.emplace(name, std::move(loan));
  }

  void write_loan(const Form& step, Form&) { fill(named(loans_, step.text("loan")).bytes(), 0); }

  void send_loan(const Form& step, Form& reply) {
    reply.add("sent", 1).add("reached", ports_.publisher(step).send(std::move(named(loans_, step.text("loan")))));
  }

  void give_up(const Form& step, Form&) { named(loans_, step.text("loan")).give_up(); }

  Ports& ports_;
  Leaving& leaving_;
  std::map<std::string, memlane::Loan> loans_;
  std::optional<std::uint64_t> progress_;
};

}  // namespace conformance
