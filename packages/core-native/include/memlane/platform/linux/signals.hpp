#pragma once

#include <pthread.h>
#include <csignal>

namespace memlane::detail::platform {

inline SignalsHeldBack::SignalsHeldBack() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before_);
}

inline SignalsHeldBack::~SignalsHeldBack() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace memlane::detail::platform
