// Small files that are put in place whole, and names.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/linux/access.hpp"
#include "memlane/platform/linux/file_size_limit.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

namespace linux_files {

// Files are read by others, never written.
inline constexpr mode_t group_file_rights = 0640;

}  // namespace linux_files

inline Placed place_file(int folder, const std::string& hidden, const std::string& name,
                         std::span<const std::byte> content, const Access& access) {
  if (file_size_limit_below(content.size())) {
    throw Error(ErrorCode::system,
                "cannot write to the lane directory: this process may not write a file of " +
                    std::to_string(content.size()) + " bytes; raise the limit (ulimit -f)",
                {}, EFBIG);
  }
  const auto create = [&] {
    return sys::retried("openat", [&] {
      return ::openat(folder, hidden.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    });
  };
  int number = create();
  if (number < 0 && errno == EEXIST) {
    // Our names are used once, so somebody planted it.
    remove_file(folder, hidden);
    number = create();
  }
  if (number < 0) {
    if (errno == ENOENT) return {};
    sys::fail("cannot write to the lane directory", errno);
  }
  const Handle file(number);
  fault_point("file.created");
  const auto written = sys::retried("write(file)", [&] { return ::write(number, content.data(), content.size()); });
  int error = std::cmp_equal(written, content.size()) ? 0 : (written < 0 ? errno : ENOSPC);
  if (error == 0) {
    try {
      linux_access::let_in(number, access, linux_files::group_file_rights);
    } catch (const Error&) {
      remove_file(folder, hidden);
      throw;
    }
  }
  if (error == 0) fault_point("file.written");
  // linkat, not rename: it refuses to replace.
  if (error == 0 && sys::call("linkat", [&] { return ::linkat(folder, hidden.c_str(), folder, name.c_str(), 0); }) != 0)
    error = errno;
  if (error == 0) fault_point("file.placed");
  remove_file(folder, hidden);
  fault_point("file.tidied");
  if (error == EEXIST) return {Place::already_there, {}};
  if (error != 0) sys::fail("cannot write to the lane directory", error);
  return {Place::placed, identify(number).value_or(FileIdentity{})};
}

inline void overwrite_file(int folder, const std::string& name, const FileIdentity& file, std::size_t offset,
                           std::span<const std::byte> content) noexcept {
  if (file_size_limit_below(offset + content.size())) return;
  // O_NONBLOCK: a pipe in its place must not hold us up.
  const int number = sys::retried(
      "openat", [&] { return ::openat(folder, name.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); });
  if (number < 0) return;
  if (identify(number) == file) {
    sys::retried("pwrite",
                 [&] { return ::pwrite(number, content.data(), content.size(), static_cast<off_t>(offset)); });
  }
  ::close(number);
}

inline std::optional<std::vector<std::byte>> read_file(int folder, const std::string& name, std::size_t limit,
                                                       const Access& access) {
  // O_NONBLOCK: a pipe planted under the name must not hold us up.
  const int number = sys::retried(
      "openat", [&] { return ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); });
  if (number < 0) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP)
      throw Error(ErrorCode::corrupt, "the file " + name + " in the lane directory is a symbolic link");
    sys::fail("cannot read from the lane directory", errno);
  }
  const Handle file(number);
  struct stat status{};
  if (sys::call("fstat", [&] { return ::fstat(number, &status); }) != 0)
    sys::fail("cannot look at a file in the lane directory", errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::corrupt, "the file " + name + " in the lane directory is not a regular file");
  }
  if (!linux_access::is_of_those_let_in(status, access)) {
    throw Error(ErrorCode::foreign_directory, "the file " + name + " in the lane directory belongs to user " +
                                                  std::to_string(status.st_uid) + ", who is not let in");
  }
  std::vector<std::byte> content(limit);
  std::size_t filled = 0;
  while (filled < limit) {
    const auto bytes =
        sys::retried("read(file)", [&] { return ::read(number, content.data() + filled, limit - filled); });
    if (bytes < 0) sys::fail("cannot read from the lane directory", errno);
    if (bytes == 0) break;
    filled += static_cast<std::size_t>(bytes);
  }
  content.resize(filled);
  return content;
}

namespace linux_files {

/// Tried twice: a name that stays is in nobody's way, but nobody will look for it either.
inline bool remove(int folder, const std::string& name, int flags) noexcept {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (sys::call("unlinkat", [&] { return ::unlinkat(folder, name.c_str(), flags); }) == 0 || errno == ENOENT)
      return true;
    if (errno == ENOTEMPTY || errno == EEXIST) return false;
  }
  return false;
}

}  // namespace linux_files

inline void remove_file(int folder, const std::string& name) noexcept {
  linux_files::remove(folder, name, 0);
}

inline bool remove_folder(int folder, const std::string& name) noexcept {
  return linux_files::remove(folder, name, AT_REMOVEDIR);
}

inline std::optional<FileIdentity> identify(int folder, const std::string& name) noexcept {
  struct stat status{};
  if (sys::call("fstatat", [&] { return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW); }) != 0)
    return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino};
}

inline std::optional<FileIdentity> identify(int open_file) noexcept {
  struct stat status{};
  if (sys::call("fstat", [&] { return ::fstat(open_file, &status); }) != 0) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino};
}

}  // namespace memlane::detail::platform
