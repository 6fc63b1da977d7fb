// One gate for every system call of the core. A test build (MEMLANE_FAULTS) can let the n-th call fail there; otherwise
// the gate is the call itself. Not behind it, since there is nothing to do if they fail: close, closedir, munmap, and those
// that cannot (see scripts/tests/gate.test.mjs, which holds the sources against this).
#pragma once

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <type_traits>

#include "memlane/error.hpp"

namespace memlane::detail::platform::sys {

#if defined(MEMLANE_FAULTS)
/// Set by a test: gets the call's name, returns an errno to fail with, or 0 to go on. Written by the test, read by every
/// thread at each call; nothing else is published by it.
inline std::atomic<int (*)(const char* call) noexcept> fault_hook{nullptr};
#endif

/// What a call of this type returns when it fails: null for those that give an object, -1 for the rest (MAP_FAILED, too).
template <class Result>
[[nodiscard]] Result failed() noexcept {
  if constexpr (std::is_pointer_v<Result> && !std::is_void_v<std::remove_pointer_t<Result>>) {
    return nullptr;
  } else {
    return Result(-1);
  }
}

/// Makes the call `name`; -1 and errno on failure, as the call itself. The name is the function's; where one function does
/// very different things, what it does here follows in brackets.
template <class Call>
auto call([[maybe_unused]] const char* name, Call&& make) noexcept -> decltype(make()) {
#if defined(MEMLANE_FAULTS)
  if (const auto hook = fault_hook.load(std::memory_order_relaxed); hook != nullptr) {
    if (const int error = hook(name); error != 0) {
      errno = error;
      return failed<decltype(make())>();
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
    if (result != failed<decltype(make())>() || errno != EINTR) return result;
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
    case ENOBUFS:
    case EDQUOT:
    case ENOSPC: return ErrorCode::out_of_memory;
    default: return ErrorCode::system;
  }
}

[[noreturn]] inline void fail(const std::string& what, int error) {
  std::string message = what + ": " + std::generic_category().message(error);
  if (error == EMFILE) message += "; raise the limit of open files (ulimit -n)";
  if (error == ENFILE) message += "; the whole machine has no descriptor left (fs.file-max)";
  throw Error(code_of(error), message, {}, error);
}

}  // namespace memlane::detail::platform::sys
