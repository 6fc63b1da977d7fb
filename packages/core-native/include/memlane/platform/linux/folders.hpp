// Folders that are for their owner alone, or for a group: made, looked through before they are trusted, and listed.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/linux/access.hpp"
#include "memlane/platform/linux/half_made_folder.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

namespace linux_folders {

inline constexpr int open_folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Set-group-id, so that whatever an operator puts there is the group's as well.
inline constexpr mode_t group_folder_rights = 02770;

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

inline void make_private_folder(const std::string& path) {
  if (sys::call("access", [&] { return ::access(path.c_str(), F_OK); }) != 0) make_parents(path);
  if (sys::call("mkdir", [&] { return ::mkdir(path.c_str(), 0700); }) != 0 && errno != EEXIST) {
    sys::fail("cannot create the lane directory " + path, errno);
  }
}

/// The folder gets its rights before it gets its name: nobody meets one that is not open to the group yet, and a private
/// one of that name is never opened up.
inline void make_group_folder(const std::string& path, const Access& access) {
  HalfMadeFolder::remove_those_of_the_dead(path);
  struct stat status{};
  if (sys::call("lstat", [&] { return ::lstat(path.c_str(), &status); }) == 0) return;
  HalfMadeFolder made(path);
  linux_access::let_in(made.handle(), access, group_folder_rights);
  constexpr unsigned no_replace = 1;  // RENAME_NOREPLACE: younger C libraries have both
  const auto renamed = sys::call("syscall(renameat2)", [&] {
    return ::syscall(SYS_renameat2, AT_FDCWD, made.name().c_str(), AT_FDCWD, path.c_str(), no_replace);
  });
  if (renamed == 0) return made.is_ready();
  if (errno != EEXIST) sys::fail("cannot create the lane directory " + path, errno);
}

}  // namespace linux_folders

inline Handle open_private_folder(const std::string& path, const Access& access) {
  access.group ? linux_folders::make_group_folder(path, access) : linux_folders::make_private_folder(path);
  const int number =
      sys::retried("open(folder)", [&] { return ::open(path.c_str(), linux_folders::open_folder_flags); });
  if (number < 0) {
    if (errno == ELOOP || errno == ENOTDIR) {
      throw Error(ErrorCode::foreign_directory,
                  "the lane directory " + path + " is not a directory (no symbolic link is followed)");
    }
    sys::fail("cannot open the lane directory " + path, errno);
  }
  Handle folder(number);
  if (const std::string objection = linux_folders::objection(number, access); !objection.empty()) {
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
      sys::retried("openat", [&] { return ::openat(folder, name.c_str(), linux_folders::open_folder_flags); });
  if (number < 0) return std::nullopt;
  Handle found(number);
  if (!linux_folders::objection(number, access).empty()) return std::nullopt;
  return found;
}

namespace linux_folders {

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

}  // namespace linux_folders

inline std::optional<Handle> open_private_subfolder(int folder, const std::string& name, const std::string& hidden,
                                                    const Access& access) {
  if (access.group) {
    linux_folders::make_group_subfolder(folder, name, hidden, access);
  } else if (sys::call("mkdirat", [&] { return ::mkdirat(folder, name.c_str(), 0700); }) != 0 && errno != EEXIST) {
    sys::fail("cannot create a lane's folder", errno);
  }
  const int number =
      sys::retried("openat", [&] { return ::openat(folder, name.c_str(), linux_folders::open_folder_flags); });
  if (number < 0) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP || errno == ENOTDIR)
      throw Error(ErrorCode::foreign_directory, "a lane's folder (" + name + ") is not a folder");
    sys::fail("cannot open a lane's folder", errno);
  }
  Handle opened(number);
  if (const std::string objection = linux_folders::objection(number, access); !objection.empty()) {
    throw Error(ErrorCode::foreign_directory, "a lane's folder (" + name + ") is refused: " + objection);
  }
  return opened;
}

inline std::vector<std::string> list_folder(int folder) {
  // A descriptor of its own: readdir moves the position, and this one may be shared by threads.
  const int number = sys::retried("openat", [&] { return ::openat(folder, ".", linux_folders::open_folder_flags); });
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

}  // namespace memlane::detail::platform
