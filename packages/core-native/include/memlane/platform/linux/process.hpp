#pragma once

#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include "memlane/platform/linux/sys.hpp"
#include "memlane/platform/linux/text_file.hpp"

namespace memlane::detail::platform {

inline std::int64_t process_id() noexcept {
  return ::getpid();
}
inline std::uint32_t user_id() noexcept {
  return ::geteuid();
}

inline std::string process_name() {
  try {
    std::string name = read_text("/proc/self/comm").value_or("");
    if (name.ends_with('\n')) name.pop_back();
    return name;
  } catch (const Error&) {
    return {};  // for people only: no reason to fail
  }
}

inline std::array<std::uint64_t, 2> random_128() {
  std::array<std::uint64_t, 2> bits{};
  // Up to 256 bytes arrive whole or not at all.
  if (sys::retried("getrandom", [&] { return ::getrandom(bits.data(), sizeof bits, 0); }) !=
      static_cast<ssize_t>(sizeof bits)) {
    sys::fail("cannot get random bytes", errno);
  }
  return bits;
}

inline unsigned core_count() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sys::call("sched_getaffinity", [&] { return ::sched_getaffinity(0, sizeof allowed, &allowed); }) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&allowed));
}

}  // namespace memlane::detail::platform
