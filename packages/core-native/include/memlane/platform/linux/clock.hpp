// CLOCK_MONOTONIC: through the vDSO, without a system call.
#pragma once

#include <ctime>

#include <cstdint>

namespace memlane::detail::platform {

inline std::int64_t monotonic_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace memlane::detail::platform
