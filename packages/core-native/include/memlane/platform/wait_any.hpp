// Sleeping on several bells at once.
#pragma once

#include <cstdint>
#include <span>

namespace memlane::detail::platform {

/// Sleeps until one of the descriptors is readable, at most `nanoseconds`; a signal ends it early.
inline void wait_any(std::span<const int> descriptors, std::int64_t nanoseconds);

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/wait_any.hpp"
#endif
