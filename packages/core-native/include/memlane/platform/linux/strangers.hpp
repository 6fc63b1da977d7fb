// Descriptors that a peer hands over though they are neither memory nor a pipe. Even to look at one, or to close it, may
// take for ever: the server of a file system in user space does not answer, or a TCP socket lingers.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

#include "memlane/platform/fork.hpp"
#include "memlane/platform/handle.hpp"
#include "memlane/platform/linux/sys.hpp"
#include "memlane/platform/thread.hpp"

namespace memlane::detail::platform::strangers {

/// Asked in a way that the kernel answers by itself, whatever the descriptor is.
[[nodiscard]] inline bool is_memory_or_pipe(int descriptor) noexcept {
  if (sys::call("fcntl(F_GET_SEALS)", [&] { return ::fcntl(descriptor, F_GET_SEALS); }) >= 0) return true;
  if (sys::call("fcntl(F_GETPIPE_SZ)", [&] { return ::fcntl(descriptor, F_GETPIPE_SZ); }) < 0) return false;
  // A pipe with a name is a pipe too, but to look at it, or to open it anew, may be its file system's to answer.
  std::array<char, 64> path{"/proc/self/fd/"};
  std::to_chars(path.data() + std::strlen(path.data()), path.data() + path.size() - 1, descriptor);
  std::array<char, 8> target{};
  const auto bytes = sys::call("readlink", [&] { return ::readlink(path.data(), target.data(), target.size()); });
  // What cannot be told fails later, and says why.
  return bytes < 0 || std::string_view(target.data(), static_cast<std::size_t>(bytes)).starts_with("pipe:[");
}

/// Those that wait to be closed, by a thread that is there only as long as there are some. If it is held up, strangers
/// pile up behind it, and nothing else does; from `most_strangers` on the door lets nobody in who might bring more. Under the
/// fork lock: in a forked child there are none, and no thread.
struct Waiting {
  std::vector<Handle> strangers;
  std::uint32_t generation = 0;
  bool at_work = false;

  static Waiting& here() {
    static auto* waiting = new Waiting;  // never destroyed: the thread may outlive the program's static objects
    if (waiting->generation != fork_generation()) {
      waiting->strangers.clear();
      waiting->at_work = false;
      waiting->generation = fork_generation();
    }
    return *waiting;
  }
};

inline void close_all() noexcept {
  for (;;) {
    Handle stranger;  // closed at the end of its turn, when the lock is given back
    const ForkLock no_fork_now;
    Waiting& waiting = Waiting::here();
    waiting.at_work = !waiting.strangers.empty();
    if (!waiting.at_work) return;
    stranger = std::move(waiting.strangers.back());
    waiting.strangers.pop_back();
  }
}

/// Under the fork lock. Where no thread can be had now, the next one who asks tries again.
inline void see_that_they_are_closed(Waiting& waiting) noexcept {
  if (waiting.at_work || waiting.strangers.empty()) return;
  try {
    const std::unique_ptr<std::thread> thread(start_thread(close_all));
    thread->detach();
    waiting.at_work = true;
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace memlane::detail::platform::strangers

namespace memlane::detail::platform {

inline void close_aside(Handle&& stranger) noexcept {
  constexpr linger at_once{0, 0};
  sys::call("setsockopt(SO_LINGER)",
            [&] { return ::setsockopt(stranger.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); });
  const ForkLock no_fork_now;
  strangers::Waiting& waiting = strangers::Waiting::here();
  try {
    waiting.strangers.push_back(std::move(stranger));
  } catch (const std::bad_alloc&) {
    return;  // it is the caller's, and closed by it
  }
  strangers::see_that_they_are_closed(waiting);
}

inline bool strangers_pile_up() noexcept {
  const ForkLock no_fork_now;
  strangers::Waiting& waiting = strangers::Waiting::here();
  strangers::see_that_they_are_closed(waiting);
  return waiting.strangers.size() >= most_strangers;
}

}  // namespace memlane::detail::platform
