// The lane directory: one per user (or per group that is let in), the place where processes meet. It holds doors and lane folders, nothing else.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "memlane/platform/door.hpp"
#include "memlane/platform/files.hpp"
#include "memlane/platform/process.hpp"

namespace memlane::detail {

/// Absolute, and the same however it was written: without `.`, `..`, or a slash at its end, behind which a symbolic link
/// would be followed.
[[nodiscard]] inline std::string tidy_path(const std::filesystem::path& path) {
  std::error_code problem;
  std::string tidy = std::filesystem::absolute(path, problem).lexically_normal().string();
  if (problem) {
    throw Error(ErrorCode::system,
                "the lane directory " + path.string() + " is a relative path, and there is no current directory: " +
                    problem.message() + "; use an absolute path",
                {}, problem.value());
  }
  while (tidy.size() > 1 && tidy.ends_with('/')) tidy.pop_back();
  return tidy;
}

/// `chosen`, else MEMLANE_DIR, else $XDG_RUNTIME_DIR/memlane, else /run/user/UID/memlane if that is ours, else
/// /tmp/memlane-UID; for a group, whose members have no such directory in common, /tmp/memlane-group-GID after MEMLANE_DIR.
/// Never below /dev/shm, which systemd empties when a user logs out.
[[nodiscard]] inline std::string directory_path(const std::filesystem::path& chosen,
                                                const platform::Access& access = {}) {
  if (!chosen.empty()) return tidy_path(chosen);
  if (const char* const set = std::getenv("MEMLANE_DIR"); set != nullptr && *set != '\0') {
    return tidy_path(set);
  }
  if (access.group) return "/tmp/memlane-group-" + std::to_string(*access.group);
  if (const char* const runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime != '\0')
    return tidy_path(std::string(runtime) + "/memlane");
  const std::string user = std::to_string(platform::user_id());
  if (platform::is_own_folder("/run/user/" + user)) return "/run/user/" + user + "/memlane";
  return "/tmp/memlane-" + user;
}

class Directory {
 public:
  /// Opens or creates it. Throws Error(foreign_directory | permission_denied | system).
  explicit Directory(std::string path, const platform::Access& access = {})
      : path_(std::move(path)), access_(access), handle_(platform::open_private_folder(path_, access_)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int handle() const noexcept { return handle_.get(); }
  [[nodiscard]] const platform::Access& access() const noexcept { return access_; }
  /// False: it was removed or renamed, so that nobody else finds what is in it.
  [[nodiscard]] bool is_in_place() const noexcept {
    const auto there = platform::identify(platform::any_folder, path_);
    return there && there == platform::identify(handle_.get());
  }
  [[nodiscard]] platform::FolderRef ref() const noexcept { return {handle_.get(), path_, access_}; }

 private:
  std::string path_;
  platform::Access access_;
  platform::Handle handle_;
};

}  // namespace memlane::detail
