// What is true of the machine for as long as the program runs.
#pragma once

#include <atomic>
#include <cstdint>

namespace memlane::detail::platform {

/// What `find_out` says, which is never negative; asked by whoever comes first, and by two if they come at once. What it
/// throws is no answer: the next one asks again. A local static would do, but for forks: one whose making another thread has
/// just begun is never made in the child, and holds up whoever asks there for ever.
///
/// The answer is written by whoever has found out, and read by all. Relaxed: it is all there is to know.
template <auto find_out>
[[nodiscard]] auto fact() -> decltype(find_out()) {
  constinit static std::atomic<std::int64_t> answer{-1};
  std::int64_t known = answer.load(std::memory_order_relaxed);
  if (known < 0) {
    known = static_cast<std::int64_t>(find_out());
    answer.store(known, std::memory_order_relaxed);
  }
  return static_cast<decltype(find_out())>(known);
}

}  // namespace memlane::detail::platform
