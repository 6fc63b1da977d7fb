// /proc/meminfo and the memory controller, version 1 or 2.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>

#include "memlane/platform/linux/text_file.hpp"

namespace memlane::detail::platform {

namespace linux_memory_limit {

/// Of a text that begins with it, behind blanks.
inline std::optional<std::uint64_t> parse_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) return std::nullopt;
  return number;
}

inline std::optional<std::uint64_t> read_number(const std::string& path) {
  const auto text = read_text(path);
  return text ? parse_number(*text) : std::nullopt;  // missing, or the word "max"
}

/// The number behind `key` in a text of lines "KEY NUMBER ...".
inline std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (line.starts_with(key)) return parse_number(line.substr(key.size()));
    begin = end + 1;
  }
  return std::nullopt;
}

/// MemAvailable, in bytes.
inline std::uint64_t machine_available() {
  const auto kibibytes = number_of(read_text("/proc/meminfo").value_or(""), "MemAvailable:");
  return kibibytes ? *kibibytes * 1024 : std::numeric_limits<std::uint64_t>::max();
}

/// Page cache that the kernel would drop before it kills is no obstacle.
inline std::uint64_t reclaimable(const std::string& folder) {
  const std::string text = read_text(folder + "/memory.stat").value_or("");
  // Version 1 counts the groups below in the lines with "total_", as its usage does; version 2 has no other lines.
  const auto with_those_below = [&](const std::string& key) {
    const auto total = number_of(text, "total_" + key);
    return total ? *total : number_of(text, key).value_or(0);
  };
  return with_those_below("inactive_file ") + with_those_below("active_file ");
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
  const std::string groups = read_text("/proc/self/cgroup").value_or("");
  for (std::size_t begin = 0; begin < groups.size();) {
    const std::size_t end = std::min(groups.find('\n', begin), groups.size());
    const std::string line = groups.substr(begin, end - begin);
    begin = end + 1;
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
