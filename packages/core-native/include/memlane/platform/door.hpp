// The door: a listening socket with a name in the lane directory, and the connections made through it. Messages keep
// their borders, arrive in order, and can carry handles. What is under way when a process dies still arrives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "memlane/platform/access.hpp"
#include "memlane/platform/files.hpp"
#include "memlane/platform/handle.hpp"
#include "memlane/platform/thread.hpp"

namespace memlane::detail::platform {

/// A folder that is held open, with its path: names in it are reached without walking the path again.
struct FolderRef {
  int handle = -1;
  const std::string& path;
  Access access = {};
};

/// Opens the door `name` in `folder`, for its owner only, or for the folder's group. It is listening before anybody can see it, so that
/// "connection refused" always means that its process is gone.
[[nodiscard]] inline Handle open_door(FolderRef folder, const std::string& name);

enum class Knock : std::uint8_t {
  answered,  ///< connected (the peer need not be awake for it)
  nobody,    ///< no such door, or nobody behind it: its process is dead
  busy,      ///< alive, but its queue of newcomers is full: try again later
  stranger,  ///< somebody who is not let in has it or is behind it, or a socket of another kind
};

struct KnockResult {
  Knock outcome = Knock::nobody;
  Handle connection;
};

/// Connects to a door, without waiting, and without following a link. Throws Error(descriptor_limit | permission_denied | system).
[[nodiscard]] inline KnockResult knock(FolderRef folder, const std::string& name);

enum class Accept : std::uint8_t { accepted, nobody_waits, no_descriptor_left };

/// Takes the next newcomer, if there is one.
inline Accept accept_newcomer(const Handle& door, Handle& connection);

/// Whether the process at the other end of a connection is of this user, or of the group that is let in.
[[nodiscard]] inline bool peer_is_let_in(const Handle& connection, const Access& access);

/// The process that made the other end of a connection, as far as the kernel tells; zeros where it does not.
struct PeerProcess {
  std::int64_t pid = 0;      // 0 as well where our pid namespace does not have it
  std::uint64_t number = 0;  // never used again (Linux 6.9)

  [[nodiscard]] bool is_known() const noexcept { return pid != 0 || number != 0; }
  /// Whether two connections may come from one process: false if it is certain that they do not.
  [[nodiscard]] bool may_be(const PeerProcess& other) const noexcept {
    if (number != 0 && other.number != 0) return number == other.number;
    return pid == 0 || other.pid == 0 || pid == other.pid;
  }
};
/// `death`: the connection's peer_death_handle.
[[nodiscard]] inline PeerProcess peer_process(const Handle& connection, const Handle& death) noexcept;

/// The other end can send nothing more; what it has sent is still received.
inline void stop_receiving(const Handle& connection) noexcept;

/// A descriptor that becomes readable when the process at the other end ends; none where the kernel cannot give one.
[[nodiscard]] inline Handle peer_death_handle(const Handle& connection);

/// The most handles in one message.
inline constexpr std::size_t max_handles = 4;

enum class Sent : std::uint8_t {
  done,
  later,         ///< the connection is full: it becomes writable when there is room
  later_untold,  ///< the kernel lacks something, or too many handles of this user are under way: try again after a while
  gone,          ///< the other end is closed
};

/// Sends one message, whole or not at all, without waiting.
inline Sent send_message(const Handle& connection, std::span<const std::byte> message, std::span<const int> handles);

/// Nothing more will be sent: the other end hears it at once, whatever a forked child still holds open.
inline void hang_up(const Handle& connection) noexcept;

/// The same thing under another number. Throws Error(descriptor_limit).
[[nodiscard]] inline Handle duplicate(int handle);

struct Arrived {
  enum class Kind : std::uint8_t { message, nothing, hang_up, malformed } kind = Kind::nothing;
  std::size_t bytes = 0;
  std::vector<Handle> handles;  ///< empty ones where something came that is neither memory nor a pipe
  bool handles_lost = false;    ///< the process had no descriptor left for some of them
  std::size_t strangers = 0;    ///< how many were neither memory nor a pipe
};

/// Receives one message, without waiting. What a dead peer had sent comes before its hang-up.
[[nodiscard]] inline Arrived receive_message(const Handle& connection, std::span<std::byte> buffer);

/// Closes what may take for ever to close, without holding the caller up: a descriptor that nobody asked for, or a connection
/// in which such ones may still wait. `stranger` is empty afterwards, unless there is no memory left.
inline void close_aside(Handle&& stranger) noexcept;

/// Whether so many wait to be closed that nobody new should be let in who might bring more.
[[nodiscard]] inline bool strangers_pile_up() noexcept;
inline constexpr std::size_t most_strangers = 256;

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/door.hpp"
#include "memlane/platform/linux/messages.hpp"
#include "memlane/platform/linux/peer_process.hpp"
#endif
