// The door: a Unix socket of type SOCK_SEQPACKET with a name, and how one is opened, knocked at and answered.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/linux/access.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

namespace linux_door {

/// A path in a socket address ends at 108 bytes; a longer one goes by way of the folder's descriptor.
inline sockaddr_un address_of(FolderRef folder, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string path = folder.path + "/" + name;
  if (path.size() >= sizeof address.sun_path) path = "/proc/self/fd/" + std::to_string(folder.handle) + "/" + name;
  if (path.size() >= sizeof address.sun_path)
    throw Error(ErrorCode::out_of_range, "the lane directory's path is too long: " + folder.path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

/// When a process dies, Linux closes the descriptor with the highest number first. Peers are to hear of the death before
/// the pages of its memory objects are given back, which takes 0.1 s for each gigabyte: so sockets get higher numbers than
/// memory usually has. Where there is none left, the number stays.
inline Handle among_the_first_to_close(Handle socket) {
  constexpr int high = 512;  // the table of descriptors takes 8 bytes a number
  Handle moved = Handle::made_by([&] {
    return sys::call("fcntl(F_DUPFD_CLOEXEC)", [&] { return ::fcntl(socket.get(), F_DUPFD_CLOEXEC, high); });
  });
  return moved ? std::move(moved) : std::move(socket);
}

inline Handle new_socket() {
  Handle made = Handle::made_by([] {
    return sys::call("socket", [] { return ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); });
  });
  if (!made) sys::fail("cannot create a socket", errno);
  return among_the_first_to_close(std::move(made));
}

/// How much may be under way to a peer that does not read: some 40 messages of the usual size. The kernel counts handles
/// under way against a limit of the whole user's (see Sent::later_untold), so the default, five times as much, would let a
/// few frozen peers stop everybody. Refused: then it is the default.
inline void bound_what_is_under_way(const Handle& socket) noexcept {
  constexpr int bytes = 16 * 1024;  // the kernel doubles it, and counts its own 500 to 700 bytes a message
  sys::call("setsockopt(SO_SNDBUF)",
            [&] { return ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes); });
}

inline constexpr mode_t group_door_rights = 0660;

/// bind() makes the socket's file for its owner alone; this opens it to the group, while its name is hidden yet. The file is
/// held by a descriptor meanwhile: a member who puts another in its place has nothing of ours opened up. False: it is gone.
inline bool let_in(FolderRef folder, const std::string& hidden) {
  const int number =
      sys::retried("openat", [&] { return ::openat(folder.handle, hidden.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); });
  if (number < 0 && errno == ENOENT) return false;
  if (number < 0) sys::fail("cannot look at the door in " + folder.path, errno);
  const Handle file(number);
  struct stat status{};
  const bool seen = sys::call("fstat", [&] { return ::fstat(number, &status); }) == 0;
  if (seen && status.st_nlink == 0) return false;  // removed since
  if (!seen || !S_ISSOCK(status.st_mode) || status.st_uid != ::geteuid() || status.st_nlink != 1) {
    throw Error(ErrorCode::foreign_directory, "somebody has put another file in the place of a door in " + folder.path);
  }
  const std::string path = "/proc/self/fd/" + std::to_string(number);
  const gid_t group = *folder.access.group;
  if (sys::call("fchownat", [&] { return ::fchownat(number, "", static_cast<uid_t>(-1), group, AT_EMPTY_PATH); }) !=
          0 ||
      sys::call("chmod", [&] { return ::chmod(path.c_str(), group_door_rights); }) != 0) {
    sys::fail("cannot let group " + std::to_string(group) + " in (is /proc mounted?)", errno);
  }
  return true;
}

/// Nothing: somebody took the hidden name for that of a process that was killed here, and removed it.
inline std::optional<Handle> try_open_door(FolderRef folder, const std::string& name) {
  Handle door = new_socket();
  const std::string hidden = "." + name;
  const sockaddr_un address = address_of(folder, hidden);
  // Before bind: the socket file is made with these rights, so it never has looser ones.
  if (sys::call("fchmod", [&] { return ::fchmod(door.get(), 0600); }) != 0)
    sys::fail("cannot restrict the door's rights", errno);
  fault_point("door.made");
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (sys::call("bind", [&] { return ::bind(door.get(), generic, sizeof address); }) != 0)
    sys::fail("cannot open a door in " + folder.path, errno);
  fault_point("door.bound");
  if (folder.access.group) {
    try {
      if (!let_in(folder, hidden)) return std::nullopt;
    } catch (const Error&) {
      remove_file(folder.handle, hidden);
      throw;
    }
  }
  bool visible = sys::call("listen", [&] { return ::listen(door.get(), SOMAXCONN); }) == 0;
  if (visible) {
    fault_point("door.listening");
    visible = sys::call("renameat",
                        [&] { return ::renameat(folder.handle, hidden.c_str(), folder.handle, name.c_str()); }) == 0;
  }
  if (!visible) {
    const int error = errno;
    remove_file(folder.handle, hidden);
    if (error == ENOENT) return std::nullopt;
    sys::fail("cannot open a door in " + folder.path, error);
  }
  fault_point("door.shown");
  return door;
}

}  // namespace linux_door

inline Handle open_door(FolderRef folder, const std::string& name) {
  // Each failure is a process that was just starting: few in a row.
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (auto door = linux_door::try_open_door(folder, name)) return std::move(*door);
  }
  sys::fail("cannot open a door in " + folder.path, ENOENT);
}

namespace linux_door {

/// What can be seen of a door from outside; nothing: it looks like one of somebody who is let in.
inline std::optional<Knock> look_at(FolderRef folder, const std::string& name) {
  struct stat status{};
  if (sys::call("fstatat", [&] { return ::fstatat(folder.handle, name.c_str(), &status, AT_SYMLINK_NOFOLLOW); }) != 0) {
    if (errno == ENOENT) return Knock::nobody;
    sys::fail("cannot look at a door in " + folder.path, errno);
  }
  // connect() would follow a link; and behind anything that is no socket there is no process.
  if (!S_ISSOCK(status.st_mode)) return Knock::nobody;
  const bool ours = status.st_uid == ::geteuid();
  if (!linux_access::is_of_those_let_in(status, folder.access)) return Knock::stranger;
  if ((status.st_mode & (ours ? 0200U : 0020U)) == 0) return Knock::stranger;
  return std::nullopt;
}

}  // namespace linux_door

inline KnockResult knock(FolderRef folder, const std::string& name) {
  if (const auto seen = linux_door::look_at(folder, name)) return {*seen, {}};
  KnockResult result{Knock::answered, linux_door::new_socket()};
  linux_door::bound_what_is_under_way(result.connection);
  const sockaddr_un address = linux_door::address_of(folder, name);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (sys::retried("connect", [&] { return ::connect(result.connection.get(), generic, sizeof address); }) == 0) {
    fault_point("door.knocked");
    if (!peer_is_let_in(result.connection, folder.access)) return {Knock::stranger, {}};
    return result;
  }
  switch (errno) {
    case ENOENT:
    case ECONNREFUSED: return {Knock::nobody, {}};
    case EAGAIN: return {Knock::busy, {}};
    case EPROTOTYPE:  // somebody put a socket of another kind there,
    case ELOOP:       // or a link that leads nowhere,
    case EACCES:      // or took our right to use it away
    case EPERM: return {Knock::stranger, {}};
    default: sys::fail("cannot knock at a door in " + folder.path, errno);
  }
}

inline Accept accept_newcomer(const Handle& door, Handle& connection) {
  connection = Handle::made_by([&] {
    return sys::retried("accept4",
                        [&] { return ::accept4(door.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); });
  });
  if (connection) {
    connection = linux_door::among_the_first_to_close(std::move(connection));
    linux_door::bound_what_is_under_way(connection);
    return Accept::accepted;
  }
  switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return Accept::no_descriptor_left;
    default: return Accept::nobody_waits;
  }
}

}  // namespace memlane::detail::platform
