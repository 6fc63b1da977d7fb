#pragma once

#include <poll.h>

#include <limits>
#include <vector>

#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

inline void wait_any(std::span<const int> descriptors, std::int64_t nanoseconds) {
  std::vector<pollfd> looks;
  looks.reserve(descriptors.size());
  for (const int descriptor : descriptors) looks.push_back({descriptor, POLLIN, 0});
  const bool unbounded = nanoseconds == std::numeric_limits<std::int64_t>::max();
  timespec span{};
  span.tv_sec = nanoseconds / 1'000'000'000;
  span.tv_nsec = nanoseconds % 1'000'000'000;
  const int ready =
      sys::call("ppoll", [&] { return ::ppoll(looks.data(), looks.size(), unbounded ? nullptr : &span, nullptr); });
  if (ready < 0 && errno != EINTR) sys::fail("cannot wait for several bells", errno);
}

}  // namespace memlane::detail::platform
