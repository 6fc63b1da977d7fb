#pragma once

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "memlane/platform/linux/sys.hpp"
#include "memlane/types/text.hpp"

namespace memlane::detail::platform {

namespace linux_access {

inline constexpr std::uint32_t no_group = ~0U;  // chown takes it for "leave it as it is"

inline std::optional<std::uint32_t> number_in(const std::string& text) {
  std::uint32_t number = no_group;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number == no_group) return std::nullopt;
  return number;
}

inline std::optional<std::uint32_t> number_of(const std::string& name) {
  if (name.find('\0') != std::string::npos) return std::nullopt;
  constexpr std::size_t most = std::size_t{1} << 24U;  // bytes: a group with a million members
  ::group entry{};
  ::group* found = nullptr;
  for (std::vector<char> members(4096); members.size() <= most; members.resize(members.size() * 4)) {
    const int error = ::getgrnam_r(name.c_str(), &entry, members.data(), members.size(), &found);
    if (error != ERANGE) break;
  }
  if (found == nullptr) return std::nullopt;
  return entry.gr_gid;
}

inline std::vector<gid_t> own_groups() {
  const int count = sys::call("getgroups", [] { return ::getgroups(0, nullptr); });
  if (count < 0) sys::fail("cannot ask for the groups of this process", errno);
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  const int filled = count == 0 ? 0 : sys::call("getgroups", [&] { return ::getgroups(count, groups.data()); });
  if (filled < 0) sys::fail("cannot ask for the groups of this process", errno);
  groups.resize(static_cast<std::size_t>(filled));
  groups.push_back(::getegid());
  return groups;
}

/// Whether something was made by somebody who is let in: the kernel lets only members give a thing to a group.
inline bool is_of_those_let_in(const struct stat& status, const Access& access) noexcept {
  return status.st_uid == ::geteuid() || status.st_gid == access.group;
}

/// Opens to the group what was made for its owner alone; never the other way round, so that it has looser rights at no
/// moment, whatever the umask and the group of the folder around it.
inline void let_in(int descriptor, const Access& access, mode_t rights) {
  if (!access.group) return;
  if (sys::call("fchown", [&] { return ::fchown(descriptor, static_cast<uid_t>(-1), *access.group); }) != 0 ||
      sys::call("fchmod", [&] { return ::fchmod(descriptor, rights); }) != 0) {
    sys::fail("cannot let group " + std::to_string(*access.group) + " in", errno);
  }
}

}  // namespace linux_access

inline Access access_for(const std::string& group) {
  if (group.empty()) return {};
  const auto number = linux_access::number_in(group);
  const Access access{number ? number : linux_access::number_of(group)};
  if (!access.group) {
    throw Error(ErrorCode::invalid_argument, "there is no group \"" + printable(group) + "\" on this system");
  }
  const auto groups = linux_access::own_groups();
  if (std::find(groups.begin(), groups.end(), *access.group) == groups.end()) {
    throw Error(ErrorCode::permission_denied, "this process is not in the group \"" + printable(group) +
                                                  "\", so nobody there would let it in; run it with that group");
  }
  return access;
}

}  // namespace memlane::detail::platform
