// How long a call may wait (Timeout), and the moment at which it ends (detail::Deadline).
#pragma once

#include <chrono>
#include <limits>

#include "memlane/platform/clock.hpp"

namespace memlane {

/// A span of time, or `forever`. Every std::chrono duration converts; a negative one means "do not wait".
class Timeout {
 public:
  template <class Rep, class Period>
  constexpr Timeout(std::chrono::duration<Rep, Period> span) noexcept  // NOLINT(google-explicit-constructor)
      : nanoseconds_(to_nanoseconds(span)) {}

  [[nodiscard]] static constexpr Timeout never() noexcept { return Timeout(unbounded); }
  [[nodiscard]] constexpr bool is_forever() const noexcept { return nanoseconds_ == unbounded; }
  [[nodiscard]] constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }

 private:
  static constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();
  explicit constexpr Timeout(std::int64_t nanoseconds) noexcept : nanoseconds_(nanoseconds) {}

  template <class Rep, class Period>
  static constexpr std::int64_t to_nanoseconds(std::chrono::duration<Rep, Period> span) noexcept {
    // Compared as floating point: a duration in years does not fit into nanoseconds, and then means for ever.
    const std::chrono::duration<double, std::nano> wide = span;
    if (!(wide.count() > 0)) return 0;
    if (wide.count() >= 9e18) return unbounded;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(span).count();
  }

  std::int64_t nanoseconds_;
};

/// Waits without an end, until there is something, or the port is stopped or closed.
inline constexpr Timeout forever = Timeout::never();

namespace detail {

/// A point on the monotonic clock: waits in several steps keep one end.
class Deadline {
 public:
  explicit Deadline(Timeout timeout) noexcept : at_(never) {
    if (timeout.is_forever()) return;
    const std::int64_t now = platform::monotonic_now();
    at_ = timeout.nanoseconds() > never - now ? never : now + timeout.nanoseconds();
  }

  [[nodiscard]] bool is_never() const noexcept { return at_ == never; }
  [[nodiscard]] std::int64_t remaining() const noexcept {
    if (is_never()) return never;
    const std::int64_t left = at_ - platform::monotonic_now();
    return left > 0 ? left : 0;
  }
  [[nodiscard]] bool passed() const noexcept { return remaining() == 0; }

 private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  std::int64_t at_;  // nanoseconds
};

/// Asked from time to time while a call waits, and at once after a signal; true ends the wait with
/// ErrorCode::interrupted. Python's binding looks here whether Ctrl-C was pressed.
struct Interrupt {
  bool (*asked)(void* context) = nullptr;
  void* context = nullptr;

  [[nodiscard]] bool pending() const { return asked != nullptr && asked(context); }
};

}  // namespace detail
}  // namespace memlane
