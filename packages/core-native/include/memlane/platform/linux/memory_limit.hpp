// /proc/meminfo and the memory controller, version 1 or 2.
#pragma once

#include <cstdlib>
#include <limits>
#include <optional>
#include <sstream>

#include "memlane/platform/linux/text_file.hpp"

namespace memlane::detail::platform {

namespace linux_memory_limit {

inline std::optional<std::uint64_t> read_number(const std::string& path) {
  std::istringstream file = open_text_file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;  // missing, or the word "max"
}

/// MemAvailable, in bytes.
inline std::uint64_t machine_available() {
  std::istringstream file = open_text_file("/proc/meminfo");
  std::string key;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::uint64_t kibibytes = 0;
    if (words >> key >> kibibytes && key == "MemAvailable:") return kibibytes * 1024;
  }
  return std::numeric_limits<std::uint64_t>::max();
}

/// Page cache that the kernel would drop before it kills is no obstacle.
inline std::uint64_t reclaimable(const std::string& folder) {
  std::istringstream file = open_text_file(folder + "/memory.stat");
  std::string key;
  std::uint64_t value = 0;
  std::uint64_t sum = 0;
  while (file >> key >> value) {
    if (key == "inactive_file" || key == "active_file") sum += value;
  }
  return sum;
}

inline void look_at_group(const std::string& folder, const char* limit_file, const char* usage_file, MemoryRoom& room) {
  const auto limit = read_number(folder + limit_file);
  const auto usage = read_number(folder + usage_file);
  if (!limit || !usage || *limit > std::numeric_limits<std::int64_t>::max() / 2) return;
  const std::uint64_t used = *usage - std::min(*usage, reclaimable(folder));
  const std::uint64_t left = *limit - std::min(*limit, used);
  if (left < room.bytes)
    room = {left,
            "the control group's memory limit of " + std::to_string(*limit) + " bytes (" + folder + limit_file + ")"};
}

}  // namespace linux_memory_limit

inline MemoryRoom memory_room() {
  namespace l = linux_memory_limit;
  MemoryRoom room{l::machine_available(), "the machine's available memory"};
  // A test can point this at a folder of its own.
  const char* const root_override = std::getenv("MEMLANE_TEST_CGROUP_ROOT");
  const std::string root = root_override != nullptr ? root_override : "/sys/fs/cgroup";
  std::istringstream groups = open_text_file("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1);
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(",memory,") == std::string::npos) continue;
    // Each group above limits too; inside a container the path may not be there, and the root is the container's own.
    for (;;) {
      const std::string below = path == "/" ? "" : path;
      if (unified) {
        l::look_at_group(root + below, "/memory.max", "/memory.current", room);
      } else {
        l::look_at_group(root + "/memory" + below, "/memory.limit_in_bytes", "/memory.usage_in_bytes", room);
      }
      if (below.empty()) break;
      path = path.substr(0, path.rfind('/'));
      if (path.empty()) path = "/";
    }
  }
  return room;
}

}  // namespace memlane::detail::platform
