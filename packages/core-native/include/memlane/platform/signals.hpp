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

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/signals.hpp"
#endif
