// What the processor can do that not all of its kind can.
#pragma once

namespace memlane::detail::platform {

/// Whether it has an instruction for CRC-32C.
[[nodiscard]] inline bool has_crc32c() noexcept;

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/processor.hpp"
#else
#error \
    "memlane: this operating system is not supported yet; Linux is. See include/memlane/platform/ for what a port must supply."
#endif
