// One gate for every system call of the core. A test build (MEMLANE_FAULTS) can let the n-th call fail there; otherwise
// the gate is the call itself.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

#include "memlane/error.hpp"

namespace memlane::detail::platform::sys {

#if defined(MEMLANE_FAULTS)
/// Set by a test: gets the call's name, returns an errno to fail with, or 0 to go on.
inline int (*fault_hook)(const char* call) noexcept = nullptr;
#endif

/// Makes the call `name`; -1 and errno on failure, as the call itself.
template <class Call>
auto call([[maybe_unused]] const char* name, Call&& make) noexcept -> decltype(make()) {
#if defined(MEMLANE_FAULTS)
  if (fault_hook != nullptr) {
    if (const int error = fault_hook(name); error != 0) {
      errno = error;
      return decltype(make())(-1);
    }
  }
#endif
  return make();
}

/// The same, made again as long as a signal interrupts it.
template <class Call>
auto retried(const char* name, Call&& make) noexcept -> decltype(make()) {
  for (;;) {
    const auto result = call(name, make);
    if (result != decltype(make())(-1) || errno != EINTR) return result;
  }
}

[[nodiscard]] inline ErrorCode code_of(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::permission_denied;
    case EMFILE:
    case ENFILE: return ErrorCode::descriptor_limit;
    case ENOMEM:
    case ENOSPC: return ErrorCode::out_of_memory;
    default: return ErrorCode::system;
  }
}

[[noreturn]] inline void fail(const std::string& what, int error) {
  std::string message = what + ": " + std::generic_category().message(error);
  if (error == EMFILE) message += "; raise the limit of open files (ulimit -n)";
  throw Error(code_of(error), message, {}, error);
}

}  // namespace memlane::detail::platform::sys
