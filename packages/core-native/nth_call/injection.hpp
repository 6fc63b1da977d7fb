// Lets one thing fail once: the n-th system call of a name, or the n-th allocation.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace memlane::nth_call {

/// "operator new" stands among the calls, with ENOMEM for std::bad_alloc.
inline constexpr const char* allocation = "operator new";

struct Fault {
  const char* call = nullptr;
  int error = 0;
  std::uint64_t number = 0;  // 1: the first

  [[nodiscard]] std::string text() const;
};

/// While it lives, the fault waits for its moment: in the core, and in every thread that is not marked as the test's own.
class Injection {
 public:
  explicit Injection(const Fault& fault) noexcept;
  ~Injection();
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;

  [[nodiscard]] bool has_happened() const noexcept;
};

/// A call that this system does not have: it fails each time, in every thread.
struct Lack {
  const char* call = nullptr;
  int error = 0;
  bool then_works = false;  // with other arguments: each time a thread tries for the second time
};

/// While it lives, all of these fail, whatever else does. One at a time.
class Lacking {
 public:
  explicit Lacking(std::span<const Lack> all) noexcept;
  ~Lacking();
  Lacking(const Lacking&) = delete;
  Lacking& operator=(const Lacking&) = delete;
};

/// Marks the calling thread as one of the test's: there only what is done within InTheCore can fail.
void is_a_test_thread() noexcept;

class InTheCore {
 public:
  InTheCore() noexcept;
  ~InTheCore();
  InTheCore(const InTheCore&) = delete;
  InTheCore& operator=(const InTheCore&) = delete;
};

/// Allocations that were made and not given back, in the whole process.
[[nodiscard]] std::int64_t live_allocations() noexcept;

}  // namespace memlane::nth_call
