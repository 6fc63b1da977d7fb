// Who is at the other end of a connection, as the kernel tells.
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "memlane/platform/linux/sys.hpp"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446
#endif

namespace memlane::detail::platform {

inline bool peer_is_let_in(const Handle& connection, const Access& access) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (sys::call("getsockopt(SO_PEERCRED)",
                [&] { return ::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length); }) != 0)
    return false;
  // Users and groups, never pids: across sibling pid namespaces the pid is 0.
  if (peer.uid == ::geteuid()) return true;
  if (!access.group) return false;
  if (peer.gid == *access.group) return true;
  std::vector<gid_t> groups(32);
  for (;;) {
    length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (sys::call("getsockopt(SO_PEERGROUPS)", [&] {
          return ::getsockopt(connection.get(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length);
        }) == 0)
      break;
    const std::size_t needed = length / sizeof(gid_t);
    if (errno != ERANGE || needed <= groups.size()) return false;
    groups.resize(needed);
  }
  groups.resize(length / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), *access.group) != groups.end();
}

inline Handle peer_death_handle(const Handle& connection) {
  return Handle::made_by([&] {
    int number = -1;
    socklen_t length = sizeof number;
    const int found = sys::call("getsockopt(SO_PEERPIDFD)", [&] {
      return ::getsockopt(connection.get(), SOL_SOCKET, SO_PEERPIDFD, &number, &length);
    });
    return found == 0 ? number : -1;
  });
}

inline PeerProcess peer_process(const Handle& connection, const Handle& death) noexcept {
  PeerProcess process;
  ucred peer{};
  socklen_t length = sizeof peer;
  if (sys::call("getsockopt(SO_PEERCRED)",
                [&] { return ::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length); }) == 0)
    process.pid = peer.pid;
  struct statfs system{};
  struct stat status{};
  if (death && sys::call("fstatfs", [&] { return ::fstatfs(death.get(), &system); }) == 0 &&
      system.f_type == PID_FS_MAGIC && sys::call("fstat", [&] { return ::fstat(death.get(), &status); }) == 0)
    process.number = status.st_ino;
  return process;
}

}  // namespace memlane::detail::platform
