// x86 processors answer for themselves; those of ARM only to the kernel, which tells each process.
#pragma once

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace memlane::detail::platform {

inline bool has_crc32c() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") != 0;
#elif defined(__aarch64__)
  constexpr unsigned long crc32 = 1UL << 7U;  // HWCAP_CRC32
  return (::getauxval(AT_HWCAP) & crc32) != 0;
#else
  return false;
#endif
}

}  // namespace memlane::detail::platform
