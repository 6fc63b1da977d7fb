// A lane's folder: the lane file and the announcements. Entered and left without a lock, by any number at once.
//
// If a process dies at any point here, only names remain: whoever finds that nobody answers at the door removes them.
#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "memlane/lane_name.hpp"
#include "memlane/layout/files.hpp"
#include "memlane/layout/message.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/roster/directory.hpp"
#include "memlane/roster/identity.hpp"

namespace memlane::detail {

inline constexpr const char* lane_file_name = "lane";

[[nodiscard]] inline std::string lane_folder_name(const std::array<std::uint64_t, 2>& hash) {
  return "lane-" + hex(hash[0]) + hex(hash[1]);
}

class LaneFolder {
 public:
  /// Enters the lane and puts the announcement of `self` in place. Throws Error(pattern_mismatch | version_mismatch |
  /// corrupt | ...) if the lane is not one that this port can join; then nothing was left behind.
  LaneFolder(const Directory& directory, const LaneName& lane, PortKind kind, const PortAddress& self,
             const Announcement& announcement)
      : directory_(directory),
        name_(lane.text()),
        folder_name_(lane_folder_name(lane_hash(lane.text()))),
        kind_(kind),
        self_(self),
        announcement_name_(announcement_name(kind, self)) {
    // Between two of our steps the last port of the lane may leave and take the folder with it: begin again. Each round that
    // fails is one in which somebody else got on, so the bound is never met unless somebody plays with the directory.
    try {
      for (int round = 0; round < max_rounds; ++round) {
        if (try_enter(announcement)) return;
      }
    } catch (...) {
      take_back_folder();
      throw;
    }
    throw Error(ErrorCode::system,
                "the lane's folder " + directory.path() + "/" + folder_name_ + " vanishes again and again", name_);
  }
  LaneFolder(const LaneFolder&) = delete;
  LaneFolder& operator=(const LaneFolder&) = delete;

  [[nodiscard]] const std::string& lane() const noexcept { return name_; }

  /// The ports of one kind that are announced now. Announce first, then look: of two that do, at least one sees the other.
  [[nodiscard]] std::vector<PortAddress> announced(PortKind kind) const {
    std::vector<PortAddress> ports;
    for (const std::string& name : platform::list_folder(folder_.get())) {
      const auto port = parse_announcement_name(name);
      if (port && port->kind == kind) ports.push_back(port->address);
    }
    return ports;
  }

  /// Takes our name out, and the folder with it if we were the last.
  void leave() noexcept {
    platform::remove_file(folder_.get(), announcement_name_);
    fault_point("port.unannounced");
    remove_if_deserted();
  }

  /// Removes the name of a port whose process is gone.
  void remove_announcement(PortKind kind, const PortAddress& port) const {
    platform::remove_file(folder_.get(), announcement_name(kind, port));
  }

  /// Rewrites the live counters of our announcement.
  void update(const Announcement& announcement) const noexcept {
    constexpr std::size_t from = offsetof(Announcement, samples);
    platform::overwrite_file(folder_.get(), announcement_name_, announcement_file_, from,
                             std::as_bytes(std::span(&announcement, 1)).subspan(from));
    fault_point("counters.shown");
  }

  /// The endpoint that made a lane's folder and did not live to put it in place. Only those for a group are made so.
  [[nodiscard]] static std::optional<EndpointId> hidden_folder_maker(std::string_view name) noexcept {
    constexpr std::size_t before = std::string_view(".lane-").size() + 32 + 1;  // the hash, and a dash
    if (!name.starts_with(".lane-") || name.size() < before + 32) return std::nullopt;
    return EndpointId::parse(name.substr(before, 32));
  }

  /// Removes every trace of dead endpoints in a lane's folder, and the folder itself if nobody is left.
  /// `is_dead(EndpointId)` decides.
  template <class IsDead>
  static void sweep(const Directory& directory, const EndpointId& self, const std::string& folder_name,
                    IsDead&& is_dead) {
    const auto folder = platform::find_private_subfolder(directory.handle(), folder_name, directory.access());
    if (!folder) return;
    for (const std::string& name : platform::list_folder(folder->get())) {
      const bool hidden = name.starts_with('.');
      const auto port = parse_announcement_name(hidden ? std::string_view(name).substr(1) : std::string_view(name));
      const auto writer = hidden_lane_file_writer(name);
      if ((port && is_dead(port->address.endpoint)) || (writer && is_dead(*writer))) {
        platform::remove_file(folder->get(), name);
        fault_point("dead.name-removed");
      }
    }
    remove_if_deserted(directory, self, folder_name, folder->get());
  }

 private:
  static constexpr int max_rounds = 1000;

  [[nodiscard]] std::string hidden_lane_file() const {
    return std::string(".lane-") + self_.endpoint.text() + "-" + hex(self_.port, false);
  }

  static std::optional<EndpointId> hidden_lane_file_writer(std::string_view name) noexcept {
    constexpr std::string_view prefix = ".lane-";
    if (!name.starts_with(prefix) || name.size() < prefix.size() + 32) return std::nullopt;
    return EndpointId::parse(name.substr(prefix.size(), 32));
  }

  bool try_enter(const Announcement& announcement) {
    auto folder = platform::open_private_subfolder(directory_.handle(), folder_name_,
                                                   "." + folder_name_ + "-" + self_.text(), directory_.access());
    if (!folder) return false;
    folder_ = std::move(*folder);
    fault_point("lane.entered");
    lane_file_is_right_ = false;
    if (!ensure_lane_file()) return false;
    lane_file_is_right_ = true;
    fault_point("lane.file-there");
    const auto bytes = std::as_bytes(std::span(&announcement, 1));
    const auto placed =
        platform::place_file(folder_.get(), "." + announcement_name_, announcement_name_, bytes, directory_.access());
    if (placed.outcome == platform::Place::folder_gone) return false;
    if (placed.outcome == platform::Place::already_there)
      throw Error(ErrorCode::system, "somebody has taken the name of a port that is only about to be announced", name_);
    announcement_file_ = placed.file;
    fault_point("port.announced");
    // A leaver that saw the folder empty just before may have removed the lane file just after: put it back. The folder
    // itself stays, since our announcement is in it.
    try {
      return ensure_lane_file();
    } catch (...) {
      platform::remove_file(folder_.get(), announcement_name_);
      throw;
    }
  }

  /// Entering failed: the folder that we may have made goes again, unless somebody is in it. A lane file that we refuse
  /// stays what it is.
  void take_back_folder() noexcept {
    if (platform::remove_folder(directory_.handle(), folder_name_) || !lane_file_is_right_) return;
    remove_if_deserted();
  }

  /// Leaving must not fail: where there is no descriptor or no memory to look with, the next port to leave does it.
  void remove_if_deserted() const noexcept {
    try {
      remove_if_deserted(directory_, self_.endpoint, folder_name_, folder_.get());
    } catch (const std::exception&) {
      return;
    }
  }

  /// Sees to it that the lane file is there, and is one that we can live with. False: the folder is gone.
  bool ensure_lane_file() {
    for (int round = 0; round < max_rounds; ++round) {
      if (const auto content =
              platform::read_file(folder_.get(), lane_file_name, sizeof(LaneFile) + 1, directory_.access())) {
        check_lane_file(*content);
        return true;
      }
      LaneFile file{};
      file.magic = lane_file_magic;
      file.version = layout_version;
      file.bytes = sizeof file;
      file.pattern = static_cast<std::uint32_t>(pattern_of(kind_));
      file.name_bytes = static_cast<std::uint32_t>(name_.size());
      std::memcpy(file.name, name_.data(), name_.size());
      const auto bytes = std::as_bytes(std::span(&file, 1));
      const auto placed =
          platform::place_file(folder_.get(), hidden_lane_file(), lane_file_name, bytes, directory_.access());
      if (placed.outcome == platform::Place::folder_gone) return false;
    }
    return false;
  }

  void check_lane_file(std::span<const std::byte> content) const {
    const std::string where = " (" + directory_.path() + "/" + folder_name_ + "/" + lane_file_name + ")";
    LaneFile file{};
    // Magic and version come first and never move: a file of another version is told from one that is damaged.
    if (content.size() >= 16) std::memcpy(&file, content.data(), 16);
    if (content.size() < 16 || file.magic != lane_file_magic) {
      throw Error(
          ErrorCode::corrupt,
          "the lane file of \"" + name_ + "\" was not written by memlane; remove it if nobody uses the lane" + where,
          name_);
    }
    if (file.version != layout_version) {
      throw Error(ErrorCode::version_mismatch,
                  "the lane \"" + name_ + "\" is of layout version " + std::to_string(file.version) +
                      ", this memlane speaks version " + std::to_string(layout_version) +
                      "; use one version of memlane on a lane" + where,
                  name_);
    }
    if (content.size() != sizeof file)
      throw Error(ErrorCode::corrupt,
                  "the lane file of \"" + name_ + "\" is truncated; remove it if nobody uses the lane" + where, name_);
    std::memcpy(&file, content.data(), sizeof file);
    if (file.bytes != sizeof file || file.name_bytes > sizeof file.name) {
      throw Error(ErrorCode::corrupt,
                  "the lane file of \"" + name_ + "\" is damaged; remove it if nobody uses the lane" + where, name_);
    }
    if (std::string_view(file.name, file.name_bytes) != name_) {
      throw Error(ErrorCode::corrupt, "the lane file of \"" + name_ + "\" is that of another lane" + where, name_);
    }
    const auto pattern = static_cast<Pattern>(file.pattern);
    if (pattern != pattern_of(kind_)) {
      throw Error(ErrorCode::pattern_mismatch,
                  "the lane \"" + name_ + "\" is a " + std::string(to_string(pattern)) + " lane; a " +
                      std::string(to_string(pattern_of(kind_))) + " port cannot join it",
                  name_);
    }
  }

  /// Removes the folder if only the lane file is in it. If somebody announces at the same moment, the folder stays, since
  /// it is not empty; the lane file is put back, by us or by the newcomer, who looks for it after announcing.
  /// models/lane_folder.pml is a model of this, of entering, and of burials.
  static void remove_if_deserted(const Directory& directory, const EndpointId& self, const std::string& folder_name,
                                 int folder) {
    // Whoever has put the file back looks again: the others may have left meanwhile, and have seen it in the folder.
    for (int round = 0; round < max_rounds; ++round) {
      const auto left = platform::list_folder(folder);
      if (left.empty()) platform::remove_folder(directory.handle(), folder_name);
      if (left.size() != 1 || left.front() != lane_file_name) return;
      const auto content = platform::read_file(folder, lane_file_name, sizeof(LaneFile), directory.access());
      if (!content) continue;  // somebody else is at it
      platform::remove_file(folder, lane_file_name);
      fault_point("lane.file-removed");
      if (platform::remove_folder(directory.handle(), folder_name)) return fault_point("lane.folder-removed");
      const auto placed = platform::place_file(folder, ".lane-" + self.text() + "-leaving", lane_file_name, *content,
                                               directory.access());
      fault_point("lane.file-put-back");
      if (placed.outcome == platform::Place::folder_gone) return;
    }
  }

  const Directory& directory_;
  std::string name_;
  std::string folder_name_;
  PortKind kind_;
  PortAddress self_;
  std::string announcement_name_;
  platform::Handle folder_;
  platform::FileIdentity announcement_file_;
  bool lane_file_is_right_ = false;
};

}  // namespace memlane::detail
