// The small texts in which Linux tells about itself: /proc, and the control groups.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

#include "memlane/platform/handle.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

/// Nothing: there is no such file here, or not for us. Throws Error if there is but it cannot be read now: who asks how much
/// memory is left must not take a lack of descriptors for plenty.
[[nodiscard]] inline std::optional<std::string> read_text(const std::string& path) {
  const int number = sys::retried("open(text)", [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (number < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == EPERM) return std::nullopt;
    sys::fail("cannot read " + path, errno);
  }
  const Handle file(number);
  std::string text;
  std::array<char, 4096> part;  // NOLINT(cppcoreguidelines-pro-type-member-init): only written
  for (;;) {
    const auto bytes = sys::retried("read(text)", [&] { return ::read(number, part.data(), part.size()); });
    if (bytes < 0) sys::fail("cannot read " + path, errno);
    if (bytes == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(bytes));
  }
}

}  // namespace memlane::detail::platform
