#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <utility>

#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/linux/access.hpp"
#include "memlane/platform/linux/file_size_limit.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

namespace linux_files {

inline constexpr int open_folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Set-group-id, so that whatever an operator puts there is the group's as well. Files are read by others, never written.
inline constexpr mode_t group_folder_rights = 02770;
inline constexpr mode_t group_file_rights = 0640;

inline bool has_access_list(int folder) noexcept {
  const auto has = [&](const char* list) {
    return sys::call("fgetxattr", [&] { return ::fgetxattr(folder, list, nullptr, 0); }) > 0;
  };
  return has("system.posix_acl_access") || has("system.posix_acl_default");
}

inline std::string objection_of_group(int folder, const struct stat& status, std::uint32_t group) {
  const std::string number = std::to_string(group);
  if (status.st_gid != group) {
    return "it belongs to group " + std::to_string(status.st_gid) + ", not to group " + number + "; choose another";
  }
  if ((status.st_mode & 0777U) != (group_folder_rights & 0777U)) {
    return "its rights are not those of a directory for a group (chmod 2770 lets group " + number +
           " in, and nobody else)";
  }
  if (has_access_list(folder))
    return "it has an access control list, which may let others in; remove that (setfacl -b)";
  return {};
}

/// Empty if nobody but those let in may enter the folder, else what is wrong with it.
inline std::string objection(int folder, const Access& access) {
  struct stat status{};
  if (sys::call("fstat", [&] { return ::fstat(folder, &status); }) != 0) return "it cannot be looked at";
  if (access.group) return objection_of_group(folder, status, *access.group);
  if ((status.st_mode & 0777U) == (group_folder_rights & 0777U)) {
    return "it is open to group " + std::to_string(status.st_gid) +
           "; make it private with chmod 700, or open every port there with the option group";
  }
  if (status.st_uid != ::geteuid()) {
    return "it belongs to user " + std::to_string(status.st_uid) + ", not to user " + std::to_string(::geteuid());
  }
  if ((status.st_mode & 077U) != 0) return "others may enter it; make it private with chmod 700";
  return {};
}

inline void make_parents(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    // Who may not write above may still find the folder below.
    if (sys::call("mkdir", [&] { return ::mkdir(parent.c_str(), 0700); }) != 0 && errno != EEXIST && errno != EACCES &&
        errno != EPERM && errno != EROFS) {
      sys::fail("cannot create the directory " + parent, errno);
    }
  }
}

}  // namespace linux_files

namespace linux_files {

inline void make_private_folder(const std::string& path) {
  if (sys::call("access", [&] { return ::access(path.c_str(), F_OK); }) != 0) make_parents(path);
  if (sys::call("mkdir", [&] { return ::mkdir(path.c_str(), 0700); }) != 0 && errno != EEXIST) {
    sys::fail("cannot create the lane directory " + path, errno);
  }
}

/// The folder gets its rights before it gets its name: nobody meets one that is not open to the group yet, and a private
/// one of that name is never opened up.
inline void make_group_folder(const std::string& path, const Access& access) {
  struct stat status{};
  if (sys::call("lstat", [&] { return ::lstat(path.c_str(), &status); }) == 0) return;
  std::string hidden = path + ".XXXXXX";
  if (sys::call("mkdtemp", [&] { return ::mkdtemp(hidden.data()) != nullptr ? 0 : -1; }) != 0) {
    sys::fail("cannot create the lane directory " + path + " (for a group, its parent must be there)", errno);
  }
  try {
    const int number = sys::retried("open(folder)", [&] { return ::open(hidden.c_str(), open_folder_flags); });
    if (number < 0) sys::fail("cannot create the lane directory " + path, errno);
    linux_access::let_in(Handle(number).get(), access, group_folder_rights);
    constexpr unsigned no_replace = 1;  // RENAME_NOREPLACE: younger C libraries have both
    const auto renamed = sys::call("syscall(renameat2)", [&] {
      return ::syscall(SYS_renameat2, AT_FDCWD, hidden.c_str(), AT_FDCWD, path.c_str(), no_replace);
    });
    if (renamed != 0 && errno != EEXIST) sys::fail("cannot create the lane directory " + path, errno);
    if (renamed != 0) remove_folder(AT_FDCWD, hidden);
  } catch (...) {
    remove_folder(AT_FDCWD, hidden);
    throw;
  }
}

}  // namespace linux_files

inline Handle open_private_folder(const std::string& path, const Access& access) {
  access.group ? linux_files::make_group_folder(path, access) : linux_files::make_private_folder(path);
  const int number = sys::retried("open(folder)", [&] { return ::open(path.c_str(), linux_files::open_folder_flags); });
  if (number < 0) {
    if (errno == ELOOP || errno == ENOTDIR) {
      throw Error(ErrorCode::foreign_directory,
                  "the lane directory " + path + " is not a directory (no symbolic link is followed)");
    }
    sys::fail("cannot open the lane directory " + path, errno);
  }
  Handle folder(number);
  if (const std::string objection = linux_files::objection(number, access); !objection.empty()) {
    throw Error(ErrorCode::foreign_directory, "the lane directory " + path + " is refused: " + objection);
  }
  return folder;
}

inline bool is_own_folder(const std::string& path) noexcept {
  struct stat status{};
  return sys::call("lstat", [&] { return ::lstat(path.c_str(), &status); }) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid();
}

inline std::optional<Handle> find_private_subfolder(int folder, const std::string& name, const Access& access) {
  const int number =
      sys::retried("openat", [&] { return ::openat(folder, name.c_str(), linux_files::open_folder_flags); });
  if (number < 0) return std::nullopt;
  Handle found(number);
  if (!linux_files::objection(number, access).empty()) return std::nullopt;
  return found;
}

namespace linux_files {

/// As make_group_folder. The rename replaces an empty folder at most: whoever has just made that begins again.
inline void make_group_subfolder(int folder, const std::string& name, const std::string& hidden, const Access& access) {
  if (identify(folder, name)) return;
  if (sys::call("mkdirat", [&] { return ::mkdirat(folder, hidden.c_str(), 0700); }) != 0) {
    sys::fail("cannot create a lane's folder", errno);
  }
  const auto take_back = [&] { remove_folder(folder, hidden); };
  try {
    const int number = sys::retried("openat", [&] { return ::openat(folder, hidden.c_str(), open_folder_flags); });
    if (number < 0) sys::fail("cannot create a lane's folder", errno);
    linux_access::let_in(Handle(number).get(), access, group_folder_rights);
  } catch (...) {
    take_back();
    throw;
  }
  // Not if somebody was quicker: then that one is opened, or refused.
  if (sys::call("renameat", [&] { return ::renameat(folder, hidden.c_str(), folder, name.c_str()); }) != 0) take_back();
}

}  // namespace linux_files

inline std::optional<Handle> open_private_subfolder(int folder, const std::string& name, const std::string& hidden,
                                                    const Access& access) {
  if (access.group) {
    linux_files::make_group_subfolder(folder, name, hidden, access);
  } else if (sys::call("mkdirat", [&] { return ::mkdirat(folder, name.c_str(), 0700); }) != 0 && errno != EEXIST) {
    sys::fail("cannot create a lane's folder", errno);
  }
  const int number =
      sys::retried("openat", [&] { return ::openat(folder, name.c_str(), linux_files::open_folder_flags); });
  if (number < 0) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP || errno == ENOTDIR)
      throw Error(ErrorCode::foreign_directory, "a lane's folder (" + name + ") is not a folder");
    sys::fail("cannot open a lane's folder", errno);
  }
  Handle opened(number);
  if (const std::string objection = linux_files::objection(number, access); !objection.empty()) {
    throw Error(ErrorCode::foreign_directory, "a lane's folder (" + name + ") is refused: " + objection);
  }
  return opened;
}

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

inline std::vector<std::string> list_folder(int folder) {
  // A descriptor of its own: readdir moves the position, and this one may be shared by threads.
  const int number = sys::retried("openat", [&] { return ::openat(folder, ".", linux_files::open_folder_flags); });
  if (number < 0) {
    if (errno == ENOENT) return {};
    sys::fail("cannot list the lane directory", errno);
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(sys::call("fdopendir", [&] { return ::fdopendir(number); }),
                                                   [](DIR* open) { return ::closedir(open); });
  if (!stream) {
    const int error = errno;
    ::close(number);
    sys::fail("cannot list the lane directory", error);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = sys::call("readdir", [&] { return ::readdir(stream.get()); });
    if (entry == nullptr) break;
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
  }
  // Half a list would be a missed peer. A folder that was removed under us has none.
  if (errno != 0 && errno != ENOENT) sys::fail("cannot list the lane directory", errno);
  return names;
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
