// A folder that gets its rights before it gets its name. Until then it has a hidden one beside, and is locked: when its maker
// dies the kernel unlocks it, and whoever comes next takes it away.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "memlane/platform/handle.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

class HalfMadeFolder {
 public:
  /// Makes one for `path`, which is absolute. It is private, empty and locked.
  explicit HalfMadeFolder(const std::string& path) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      name_ = path;
      name_.append(infix).append(random_letters, 'X');
      if (sys::call("mkdtemp", [&] { return ::mkdtemp(name_.data()) != nullptr ? 0 : -1; }) != 0) {
        sys::fail("cannot create the lane directory " + path + " (for a group, its parent must be there)", errno);
      }
      folder_ = open(any_folder, name_);
      const int error = folder_ ? 0 : errno;
      // Somebody may have taken it for a dead one's before it was locked.
      if (folder_ && lock(folder_.get()) != EWOULDBLOCK && is_in_place()) return;
      remove();
      if (error != 0 && error != ENOENT) sys::fail("cannot create the lane directory " + path, error);
    }
    sys::fail("cannot create the lane directory " + path + ": what is made is removed at once", EAGAIN);
  }
  HalfMadeFolder(const HalfMadeFolder&) = delete;
  HalfMadeFolder& operator=(const HalfMadeFolder&) = delete;
  ~HalfMadeFolder() {
    if (!name_.empty()) remove();
  }

  [[nodiscard]] int handle() const noexcept { return folder_.get(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// It has got another name.
  void is_ready() noexcept { name_.clear(); }

  /// Removes those of this user for `path` whose makers are dead. Others' are theirs to remove.
  static void remove_those_of_the_dead(const std::string& path) noexcept {
    try {
      const std::size_t slash = path.rfind('/');
      const Handle parent = open(any_folder, path.substr(0, slash + 1));
      if (!parent) return;
      const std::string start = path.substr(slash + 1).append(infix);
      for (const std::string& name : list_folder(parent.get())) {
        if (name.size() != start.size() + random_letters || !name.starts_with(start)) continue;
        const Handle folder = open(parent.get(), name);
        // Locked by us now, so its maker is dead; or has just begun, sees the lock, and begins again.
        if (folder && is_own(folder.get()) && lock(folder.get()) == 0) remove_folder(parent.get(), name);
      }
    } catch (const std::exception&) {
      return;  // they are in nobody's way
    }
  }

 private:
  static constexpr std::string_view infix = ".making-";
  static constexpr std::size_t random_letters = 6;
  static constexpr int most_attempts = 16;

  static Handle open(int folder, const std::string& name) {
    return Handle::made_by([&] {
      return sys::retried(
          "openat", [&] { return ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); });
    });
  }

  /// 0, or why not: EWOULDBLOCK if another process has it.
  static int lock(int folder) noexcept {
    return sys::retried("flock", [&] { return ::flock(folder, LOCK_EX | LOCK_NB); }) == 0 ? 0 : errno;
  }

  static bool is_own(int folder) noexcept {
    struct stat status{};
    return sys::call("fstat", [&] { return ::fstat(folder, &status); }) == 0 && status.st_uid == ::geteuid();
  }

  [[nodiscard]] bool is_in_place() const noexcept {
    const auto there = identify(any_folder, name_);
    return there && there == identify(folder_.get());
  }

  void remove() const noexcept { remove_folder(any_folder, name_); }

  std::string name_;
  Handle folder_;
};

}  // namespace memlane::detail::platform
