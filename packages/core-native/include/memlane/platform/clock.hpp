// The monotonic clock that all processes of the machine share: time stamps of samples compare across processes.
#pragma once

#include <cstdint>
#include <limits>

namespace memlane::detail::platform {

/// Nanoseconds since an arbitrary start, the same in every process of this boot.
[[nodiscard]] inline std::int64_t monotonic_now() noexcept;

/// Later than any time that it tells.
inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/clock.hpp"
#else
#error \
    "memlane: this operating system is not supported yet; Linux is. See include/memlane/platform/ for what a port must supply."
#endif
