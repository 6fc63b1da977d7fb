// The bell: a pipe. Its read end is the one descriptor a port can be waited for with; its write end is given to peers, and
// each opens it anew for itself, so that nobody shares flags with who rings (a peer could otherwise make a ring block).
#pragma once

#include <cstdint>

#include "memlane/platform/access.hpp"
#include "memlane/platform/handle.hpp"

namespace memlane::detail::platform {

/// The owner's side.
class Bell {
 public:
  inline Bell();

  /// A pipe can be opened anew by its own user alone; from now on by those let in, to ring it, and not to listen to it:
  /// who can read it can swallow the rings of others.
  inline void let_in(const Access& access);

  /// For poll, epoll, asyncio, net.Socket: readable after a ring. Owned by the bell.
  [[nodiscard]] int waitable() const noexcept { return read_end_.get(); }
  /// What it is rung with here.
  [[nodiscard]] int write_handle() const noexcept { return write_end_.get(); }
  /// The same opened anew, to be given away: who has it can change its flags, and one that waits where the pipe is full would
  /// hold up whoever rings with it.
  [[nodiscard]] inline Handle another_write_end() const;
  /// A read end of its own, for an event loop that wants to own and close what it reads.
  [[nodiscard]] inline Handle another_read_end() const;

  /// Rings it from inside the process.
  inline void ring() const noexcept;
  /// Silences it.
  inline void clear() const noexcept;

  enum class Wake : std::uint8_t { rung, timed_out, signal };
  /// Sleeps until it rings, at most `nanoseconds`.
  [[nodiscard]] inline Wake wait(std::int64_t nanoseconds) const;

 private:
  Handle read_end_;
  Handle write_end_;
};

/// A peer's bell, as received over a connection.
class ForeignBell {
 public:
  ForeignBell() noexcept = default;
  /// Opens the write end anew. Throws Error(corrupt) if the handle is not a pipe's.
  inline explicit ForeignBell(Handle handle);
  /// Never blocks. A full pipe is a bell that has rung.
  inline void ring() const noexcept;

 private:
  Handle write_end_;
  bool is_anothers_ = false;  // another user's: we can ring it, and not listen
};

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/bell.hpp"
#endif
