// How much memory may still be reserved, before it is: past a control group's limit the kernel does not refuse, it kills.
#pragma once

#include <cstdint>
#include <string>

namespace memlane::detail::platform {

struct MemoryRoom {
  std::uint64_t bytes = 0;  ///< that can be reserved now
  std::string limited_by;   ///< in words, for a message: "the control group's limit of ... bytes"
};

/// The least of what the machine and each control group above this process leave.
[[nodiscard]] inline MemoryRoom memory_room();

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/memory_limit.hpp"
#endif
