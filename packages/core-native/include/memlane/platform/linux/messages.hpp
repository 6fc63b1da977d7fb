// Messages over a connection, handles by SCM_RIGHTS, and the end of it.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <utility>

#include "memlane/platform/linux/strangers.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

inline void stop_receiving(const Handle& connection) noexcept {
  sys::call("shutdown", [&] { return ::shutdown(connection.get(), SHUT_RD); });
}

inline void hang_up(const Handle& connection) noexcept {
  sys::call("shutdown", [&] { return ::shutdown(connection.get(), SHUT_WR); });
}

inline Handle duplicate(int handle) {
  Handle copy = Handle::made_by(
      [&] { return sys::call("fcntl(F_DUPFD_CLOEXEC)", [&] { return ::fcntl(handle, F_DUPFD_CLOEXEC, 0); }); });
  if (!copy) sys::fail("cannot keep a handle for a peer that does not read", errno);
  return copy;
}

inline Sent send_message(const Handle& connection, std::span<const std::byte> message, std::span<const int> handles) {
  iovec part{const_cast<std::byte*>(message.data()), message.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * max_handles)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!handles.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(handles.size_bytes());
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(handles.size_bytes());
    std::memcpy(CMSG_DATA(rights), handles.data(), handles.size_bytes());
  }
  if (sys::retried("sendmsg", [&] { return ::sendmsg(connection.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT); }) >= 0)
    return Sent::done;
  switch (errno) {
    case EAGAIN: return Sent::later;
    // What is missing is the whole machine's, or all of this user's: the connection may well say that it has room.
    case ENOBUFS:
    case ENOMEM:
    case ETOOMANYREFS: return Sent::later_untold;
    default: return Sent::gone;
  }
}

inline Arrived receive_message(const Handle& connection, std::span<std::byte> buffer) {
  Arrived arrived;
  arrived.handles.reserve(max_handles);  // what can fail comes before the message leaves the connection
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * max_handles)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t bytes = -1;
  const ForkLock no_fork_now;  // before the handles are registered
  // A peer that died with unread messages of ours: first ECONNRESET, once, then what it had sent.
  for (int attempt = 0; attempt < 2; ++attempt) {
    header.msg_controllen = control.size();
    bytes =
        sys::retried("recvmsg", [&] { return ::recvmsg(connection.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT); });
    if (bytes >= 0 || errno != ECONNRESET) break;
  }
  if (bytes < 0) {
    const bool later = errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS;
    arrived.kind = later ? Arrived::Kind::nothing : Arrived::Kind::hang_up;
    return arrived;
  }
  for (cmsghdr* part_of = CMSG_FIRSTHDR(&header); part_of != nullptr; part_of = CMSG_NXTHDR(&header, part_of)) {
    if (part_of->cmsg_level != SOL_SOCKET || part_of->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part_of->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part_of) + i * sizeof(int), sizeof number);
      Handle handle(number);
      if (!strangers::is_memory_or_pipe(number)) {
        close_aside(std::move(handle));
        ++arrived.strangers;
      }
      arrived.handles.push_back(std::move(handle));
    }
  }
  arrived.bytes = static_cast<std::size_t>(bytes);
  // The limit of open files of this process, or a security module, kept some of the handles: the rest is of no use.
  if ((header.msg_flags & MSG_CTRUNC) != 0) arrived.handles_lost = true;
  if (arrived.handles_lost) arrived.handles.clear();
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    arrived.kind = Arrived::Kind::malformed;  // longer than any message can be
  } else {
    // An empty read is the hang-up: no message of ours is empty.
    arrived.kind = bytes == 0 ? Arrived::Kind::hang_up : Arrived::Kind::message;
  }
  return arrived;
}

}  // namespace memlane::detail::platform
