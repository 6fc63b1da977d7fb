// Waiting for what must become true, with a watchdog: the deadline says only when a test gives up.
#pragma once

#include <chrono>
#include <thread>

namespace memlane::test {

inline constexpr std::chrono::seconds patience{30};  // generous: a loaded machine under a sanitizer is slow, not wrong

/// True as soon as `condition()` is; false if it is not within `patience`.
template <class Condition>
[[nodiscard]] bool eventually(Condition&& condition, std::chrono::nanoseconds limit = patience) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace memlane::test
