// Keeping the program's signal handlers out of a stretch of our code.
#pragma once

#include <csignal>

namespace memlane::detail::platform {

/// While it lives, the calling thread handles no signal; those that come are handled at its end. A thread that is started
/// meanwhile never handles any.
class SignalsHeldBack {
 public:
  inline SignalsHeldBack() noexcept;
  inline ~SignalsHeldBack();
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

 private:
  sigset_t before_;
};

/// While it lives, writing to a pipe that nobody can read does not end the program.
class NoBrokenPipe {
 public:
  inline NoBrokenPipe() noexcept;
  inline ~NoBrokenPipe();
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

 private:
  sigset_t before_;
  bool one_waits_ = false;  // that the program holds back itself, and is to get
};

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/signals.hpp"
#endif
