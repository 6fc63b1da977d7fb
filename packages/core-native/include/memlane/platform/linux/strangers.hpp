// Descriptors that a peer hands over though they are neither memory nor a pipe. Even to look at one, or to close it, may
// take for ever: the server of a file system in user space does not answer, or a TCP socket lingers.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
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
/// pile up behind it and nothing else does. Under the fork lock: in a forked child there are none, and no thread.
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
    std::vector<Handle> some;
    const ForkLock no_fork_now;
    Waiting& waiting = Waiting::here();
    some.swap(waiting.strangers);
    waiting.at_work = !some.empty();
    if (some.empty()) return;
  }
}

/// Closes it without holding the caller up. `stranger` is empty afterwards.
inline void close_aside(Handle&& stranger) {
  constexpr linger at_once{0, 0};
  sys::call("setsockopt(SO_LINGER)",
            [&] { return ::setsockopt(stranger.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); });
  const ForkLock no_fork_now;
  Waiting& waiting = Waiting::here();
  waiting.strangers.push_back(std::move(stranger));
  if (waiting.at_work) return;
  try {
    const std::unique_ptr<std::thread> thread(start_thread(close_all));
    thread->detach();
    waiting.at_work = true;
  } catch (const Error&) {
    // No thread can be had now: the next stranger tries again.
  }
}

}  // namespace memlane::detail::platform::strangers
