#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <string>

#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/linux/access.hpp"
#include "memlane/platform/linux/sys.hpp"
#include "memlane/platform/signals.hpp"

namespace memlane::detail::platform {

namespace linux_bell {

// A bell holds rings, not data. Small pipes keep a user with thousands of ports below the kernel's limit of pipe pages.
inline constexpr int pipe_bytes = 4096;

inline void ring(int write_end) noexcept {
  constexpr char note = 1;
  // EAGAIN: full, so it has rung.
  sys::retried("write(bell)", [&] { return ::write(write_end, &note, 1); });
  fault_point("bell.rung");
}

inline Handle reopen(int descriptor, int flags) {
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  return Handle::made_by(
      [&] { return sys::retried("open(bell)", [&] { return ::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC); }); });
}

}  // namespace linux_bell

inline Bell::Bell() {
  std::array<int, 2> ends{-1, -1};
  const ForkLock no_fork_now;  // before both ends are registered
  if (sys::call("pipe2", [&] { return ::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC); }) != 0)
    sys::fail("cannot create a bell", errno);
  read_end_ = Handle(ends[0]);
  write_end_ = Handle(ends[1]);
  // Refused: then it is larger than it need be.
  sys::call("fcntl(F_SETPIPE_SZ)", [&] { return ::fcntl(write_end_.get(), F_SETPIPE_SZ, linux_bell::pipe_bytes); });
  // Bells are given away opened anew. Where that cannot be done (/proc is missing), no link would ever come up: better said
  // to whoever opens a port here than to those who call it.
  static_cast<void>(another_write_end());
}

inline void Bell::let_in(const Access& access) {
  linux_access::let_in(write_end_.get(), access, 0620);
}

inline Handle Bell::another_write_end() const {
  Handle end = linux_bell::reopen(write_end_.get(), O_WRONLY);
  if (!end) sys::fail("cannot open the bell again (is /proc mounted?)", errno);
  return end;
}

inline Handle Bell::another_read_end() const {
  Handle end = linux_bell::reopen(read_end_.get(), O_RDONLY);
  if (!end) sys::fail("cannot open the bell again", errno);
  return end;
}

inline void Bell::ring() const noexcept {
  linux_bell::ring(write_end_.get());
}

inline void Bell::clear() const noexcept {
  std::array<char, linux_bell::pipe_bytes> notes;  // NOLINT(cppcoreguidelines-pro-type-member-init): only written
  sys::retried("read(bell)", [&] { return ::read(read_end_.get(), notes.data(), notes.size()); });
}

inline Bell::Wake Bell::wait(std::int64_t nanoseconds) const {
  pollfd look{read_end_.get(), POLLIN, 0};
  const bool unbounded = nanoseconds == std::numeric_limits<std::int64_t>::max();
  timespec span{};
  span.tv_sec = nanoseconds / 1'000'000'000;
  span.tv_nsec = nanoseconds % 1'000'000'000;
  const int ready = sys::call("ppoll", [&] { return ::ppoll(&look, 1, unbounded ? nullptr : &span, nullptr); });
  if (ready > 0) return Wake::rung;
  if (ready == 0) return Wake::timed_out;
  if (errno == EINTR) return Wake::signal;
  sys::fail("cannot wait for a bell", errno);
}

inline ForeignBell::ForeignBell(Handle handle) {
  struct stat status{};
  if (handle && sys::call("fstat", [&] { return ::fstat(handle.get(), &status); }) != 0)
    sys::fail("cannot look at a peer's bell", errno);
  if (!handle || !S_ISFIFO(status.st_mode)) {
    throw Error(ErrorCode::corrupt, "the bell that a peer handed over is not a pipe");
  }
  // Read and write, though we only write: when the owner is gone, a ring must neither fail nor raise SIGPIPE here.
  write_end_ = linux_bell::reopen(handle.get(), O_RDWR);
  if (write_end_) return;
  if (errno == EACCES) {
    write_end_ = linux_bell::reopen(handle.get(), O_WRONLY);
    is_anothers_ = true;
    if (write_end_ || errno == ENXIO) return;  // ENXIO: nobody hears it any more
  }
  sys::fail("cannot open a peer's bell (is /proc mounted?)", errno);
}

inline void ForeignBell::ring() const noexcept {
  if (!write_end_) return;
  if (!is_anothers_) return linux_bell::ring(write_end_.get());
  const NoBrokenPipe guard;
  linux_bell::ring(write_end_.get());
}

}  // namespace memlane::detail::platform
