// Names in the lane directory: folders that nobody enters but who is let in, small files that appear whole or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "memlane/platform/access.hpp"
#include "memlane/platform/handle.hpp"

namespace memlane::detail::platform {

/// Opens the folder at `path`, creating it (and its parents) with mode 0700; for a group with mode 2770, without its
/// parents. No symbolic link is followed at its end, and a folder of another owner or group, or with other rights, is
/// refused: Error(foreign_directory | permission_denied | system).
[[nodiscard]] inline Handle open_private_folder(const std::string& path, const Access& access = {});

/// Whether /run/user/UID is there and ours.
[[nodiscard]] inline bool is_own_folder(const std::string& path) noexcept;

/// The same one level below an open folder; for a group it gets its rights under the name `hidden`. Nothing: it vanished
/// meanwhile.
[[nodiscard]] inline std::optional<Handle> open_private_subfolder(int folder, const std::string& name,
                                                                  const std::string& hidden, const Access& access);

/// Opens a folder below that is there already; nothing if it is not, or is one that we would refuse.
[[nodiscard]] inline std::optional<Handle> find_private_subfolder(int folder, const std::string& name,
                                                                  const Access& access = {});

/// Which file it is, to change or remove exactly the one that was looked at.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
[[nodiscard]] inline std::optional<FileIdentity> identify(int folder, const std::string& name) noexcept;
[[nodiscard]] inline std::optional<FileIdentity> identify(int open_file) noexcept;

enum class Place : std::uint8_t { placed, already_there, folder_gone };

struct Placed {
  Place outcome = Place::folder_gone;
  FileIdentity file;  ///< of what was placed
};

/// Writes a file of mode 0600 (0640 for a group) under `hidden` and puts it in place under `name`, whole, unless there is one
/// already.
[[nodiscard]] inline Placed place_file(int folder, const std::string& hidden, const std::string& name,
                                       std::span<const std::byte> content, const Access& access);

/// Writes over a part of a file that we have placed, and of no other that has got its name since.
inline void overwrite_file(int folder, const std::string& name, const FileIdentity& file, std::size_t offset,
                           std::span<const std::byte> content) noexcept;

/// At most `limit` bytes of a regular file of somebody who is let in; nothing if there is no such file. No link is followed.
[[nodiscard]] inline std::optional<std::vector<std::byte>> read_file(int folder, const std::string& name,
                                                                     std::size_t limit, const Access& access);

/// The names in a folder, `.` and `..` left out.
[[nodiscard]] inline std::vector<std::string> list_folder(int folder);

inline void remove_file(int folder, const std::string& name) noexcept;
/// True if the folder is gone now; one that is not empty stays.
inline bool remove_folder(int folder, const std::string& name) noexcept;

/// In place of a folder, for an absolute path.
inline constexpr int any_folder = -1;

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/files.hpp"
#include "memlane/platform/linux/folders.hpp"
#endif
