// RLIMIT_FSIZE: growing a file beyond it raises SIGXFSZ, which kills. So it is looked at before.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <optional>

#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

/// The limit, if a file may not be as large as that.
[[nodiscard]] inline std::optional<std::uint64_t> file_size_limit_below(std::uint64_t bytes) noexcept {
  rlimit limit{};
  const bool known = sys::call("getrlimit", [&] { return ::getrlimit(RLIMIT_FSIZE, &limit); }) == 0;
  if (!known || limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur) return std::nullopt;
  return limit.rlim_cur;
}

}  // namespace memlane::detail::platform
