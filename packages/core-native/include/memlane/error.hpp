// The one list of error codes, the same in C++, Python and TypeScript, and the exception that carries them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace memlane {

/// What went wrong, as a value to branch on. The text form (`to_string`) is part of the API in every language.
enum class ErrorCode : std::uint16_t {
  invalid_name = 1,   ///< a lane name that breaks the rules of `LaneName`
  invalid_argument,   ///< an argument of the right type with a value that makes no sense
  out_of_range,       ///< a size, shape, depth or count beyond what is possible
  closed,             ///< the port was closed, by this process
  forked,             ///< the object belongs to the parent process: open a new port in the child
  released,           ///< the sample or loan was given back already
  already_sent,       ///< the loan was sent already
  timeout,            ///< the time given for waiting is over; nothing was changed
  queue_full,         ///< a subscriber's queue is full and it asked for `fail`, or the call may not wait
  interrupted,        ///< a signal handler asked the wait to end
  budget_spent,       ///< the port's own memory budget does not allow it
  out_of_memory,      ///< the control group's limit, or the machine's memory, does not allow it
  descriptor_limit,   ///< the process or the system has no file descriptor left
  permission_denied,  ///< the operating system refused access
  foreign_directory,  ///< the lane directory is not ours alone: another owner, looser rights, or a symbolic link
  version_mismatch,   ///< the other side speaks another version of the layout
  corrupt,            ///< what another process wrote does not make sense; only its own link is dropped
  pattern_mismatch,   ///< the lane carries another pattern (publish/subscribe, work queue, request/reply)
  type_mismatch,      ///< the payload is not of the type that was asked for
  peer_frozen,        ///< a peer that is alive does not answer
  deadlock,           ///< the wait could never end: the thread that should make room is the one that waits
  unsupported,        ///< this system cannot do it
  system,             ///< a system call failed; `Error::system_error` is its errno
};

/// The code's name in kebab-case, e.g. "queue-full": what Python's and TypeScript's `error.code` hold.
[[nodiscard]] constexpr std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_name: return "invalid-name";
    case ErrorCode::invalid_argument: return "invalid-argument";
    case ErrorCode::out_of_range: return "out-of-range";
    case ErrorCode::closed: return "closed";
    case ErrorCode::forked: return "forked";
    case ErrorCode::released: return "released";
    case ErrorCode::already_sent: return "already-sent";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::queue_full: return "queue-full";
    case ErrorCode::interrupted: return "interrupted";
    case ErrorCode::budget_spent: return "budget-spent";
    case ErrorCode::out_of_memory: return "out-of-memory";
    case ErrorCode::descriptor_limit: return "descriptor-limit";
    case ErrorCode::permission_denied: return "permission-denied";
    case ErrorCode::foreign_directory: return "foreign-directory";
    case ErrorCode::version_mismatch: return "version-mismatch";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::pattern_mismatch: return "pattern-mismatch";
    case ErrorCode::type_mismatch: return "type-mismatch";
    case ErrorCode::peer_frozen: return "peer-frozen";
    case ErrorCode::deadlock: return "deadlock";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::system: return "system";
  }
  return "unknown";
}

/// The one exception type of memlane. `what()` says what happened, to which lane, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string lane = {}, int system_error = 0)
      : std::runtime_error(message), code_(code), system_error_(system_error), lane_(std::move(lane)) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// The errno of the system call that failed, or 0.
  [[nodiscard]] int system_error() const noexcept { return system_error_; }
  /// The lane it happened to, or an empty string.
  [[nodiscard]] const std::string& lane() const noexcept { return lane_; }

 private:
  ErrorCode code_;
  int system_error_;
  std::string lane_;
};

}  // namespace memlane
