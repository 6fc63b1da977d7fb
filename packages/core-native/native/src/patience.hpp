// How long a send from JavaScript may wait for room.
#pragma once

#include <napi.h>

#include <cstddef>
#include <optional>

#include <memlane/memlane.hpp>

namespace memlane::addon {

/// As a number in JavaScript: milliseconds, or one of these.
struct Patience {
  /// Not at all. No result where the send would have to wait for a subscriber with overflow `block`; the bell then rings
  /// when it is worth trying again.
  static constexpr double poll = -1;
  /// Not at all. No result where any subscriber's queue is full, for whatever reason.
  static constexpr double try_once = -2;

  double value;

  [[nodiscard]] bool is_poll() const noexcept { return value == poll; }
  [[nodiscard]] bool is_try_once() const noexcept { return value == try_once; }
};

/// Sends a loan. No result: see Patience; the loan is then still open. Throws what the core throws; also while it waits, if
/// the environment is being terminated.
[[nodiscard]] std::optional<std::size_t> send(Napi::Env env, Publisher& publisher, Loan& loan, const SendInfo& info,
                                              Patience patience);

/// The result as JavaScript has it: a number or undefined.
[[nodiscard]] Napi::Value from_result(Napi::Env env, std::optional<std::size_t> reached);

}  // namespace memlane::addon
