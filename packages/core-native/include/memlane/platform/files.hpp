// Names in the lane directory: folders that are ours alone, small files that appear whole or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "memlane/platform/handle.hpp"

namespace memlane::detail::platform {

/// Opens the folder at `path`, creating it (and its parents) with mode 0700. No symbolic link is followed at its end, and
/// a folder of another owner or with looser rights is refused: Error(foreign_directory | permission_denied | system).
[[nodiscard]] inline Handle open_private_folder(const std::string& path);

/// Whether /run/user/UID is there and ours.
[[nodiscard]] inline bool is_own_folder(const std::string& path) noexcept;

/// The same one level below an open folder. Nothing: it vanished meanwhile.
[[nodiscard]] inline std::optional<Handle> open_private_subfolder(int folder, const std::string& name);

/// Opens a folder below that is there already; nothing if it is not, or is not ours.
[[nodiscard]] inline std::optional<Handle> find_private_subfolder(int folder, const std::string& name) noexcept;

enum class Place : std::uint8_t { placed, already_there, folder_gone };

/// Writes a file of mode 0600 under `hidden` and puts it in place under `name`, whole, unless there is one already.
[[nodiscard]] inline Place place_file(int folder, const std::string& hidden, const std::string& name,
                                      std::span<const std::byte> content);

/// At most `limit` bytes of a regular file that is ours; nothing if there is no such file. No link is followed.
[[nodiscard]] inline std::optional<std::vector<std::byte>> read_file(int folder, const std::string& name,
                                                                     std::size_t limit);

/// The names in a folder, `.` and `..` left out.
[[nodiscard]] inline std::vector<std::string> list_folder(int folder);

inline void remove_file(int folder, const std::string& name) noexcept;
/// True if the folder is gone now; one that is not empty stays.
inline bool remove_folder(int folder, const std::string& name) noexcept;

/// Which file it is, to remove exactly the one that was looked at.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
[[nodiscard]] inline std::optional<FileIdentity> identify(int folder, const std::string& name) noexcept;
[[nodiscard]] inline std::optional<FileIdentity> identify(int open_file) noexcept;

/// In place of a folder, for an absolute path.
inline constexpr int any_folder = -1;

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/files.hpp"
#endif
