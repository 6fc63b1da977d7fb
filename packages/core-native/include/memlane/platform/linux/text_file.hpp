#pragma once

#include <fcntl.h>

#include <array>
#include <sstream>
#include <string>

#include "memlane/platform/handle.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

/// A small file, to be read word by word; one that cannot be read is a stream that has failed. Not by std::ifstream: its
/// descriptor would be inherited by a program that another thread executes at this moment.
[[nodiscard]] inline std::istringstream open_text_file(const std::string& path) {
  const Handle file(sys::retried("open", [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  std::string text;
  std::array<char, 4096> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): only read into
  for (;;) {
    const auto bytes =
        file ? sys::retried("read", [&] { return ::read(file.get(), piece.data(), piece.size()); }) : ssize_t{-1};
    if (bytes > 0) {
      text.append(piece.data(), static_cast<std::size_t>(bytes));
      continue;
    }
    std::istringstream stream(text);
    if (bytes < 0) stream.setstate(std::ios::failbit);
    return stream;
  }
}

}  // namespace memlane::detail::platform
