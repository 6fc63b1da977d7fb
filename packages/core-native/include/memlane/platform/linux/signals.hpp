#pragma once

#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace memlane::detail::platform {

inline SignalsHeldBack::SignalsHeldBack() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before_);
}

inline SignalsHeldBack::~SignalsHeldBack() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

namespace linux_signals {

inline sigset_t broken_pipe() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}

}  // namespace linux_signals

inline NoBrokenPipe::NoBrokenPipe() noexcept {
  sigset_t waiting;
  one_waits_ = ::sigpending(&waiting) == 0 && ::sigismember(&waiting, SIGPIPE) == 1;
  const sigset_t set = linux_signals::broken_pipe();
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
}

inline NoBrokenPipe::~NoBrokenPipe() {
  const sigset_t set = linux_signals::broken_pipe();
  const timespec no_time{};
  // The signal goes to the thread that wrote, so it is here by now.
  while (!one_waits_ && ::sigtimedwait(&set, nullptr, &no_time) < 0 && errno == EINTR) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace memlane::detail::platform
