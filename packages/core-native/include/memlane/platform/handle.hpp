// An owned file descriptor, closed once, and never by a forked child.
#pragma once

#include <unistd.h>

#include <utility>

#include "memlane/platform/fork.hpp"

namespace memlane::detail::platform {

class Handle final : private KeptFromChildren {
 public:
  Handle() noexcept = default;
  /// Takes over `number`; a negative one is no descriptor.
  explicit Handle(int number) noexcept { hold(number); }
  /// Takes over what `make()` returns. No fork comes in between: its child would keep what is not noted yet, and with
  /// it, say, a connection whose end the peer then does not hear.
  template <class Make>
  [[nodiscard]] static Handle made_by(Make&& make) {
    const ForkLock no_fork_now;
    return Handle(make());
  }
  Handle(Handle&& other) noexcept { take_over(other); }
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      take_over(other);
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  void reset() noexcept {
    if (number_ < 0) return;
    // After a fork the number may be somebody else's: the handler in the child has closed ours already.
    const bool ours = is_ours();
    const int number = release();
    if (ours) ::close(number);
  }

  /// Hands the descriptor to another owner, who closes it; a fork no longer takes it away.
  [[nodiscard]] int release() noexcept {
    if (number_ >= 0) forget();
    return std::exchange(number_, -1);
  }

  [[nodiscard]] int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  void hold(int number) noexcept {
    number_ = number;
    if (number_ >= 0) note();
  }

  void take_over(Handle& other) noexcept {
    const ForkLock no_fork_now;  // a child that is made between the two steps would keep it
    // One that a fork took away stays nothing, wherever it is moved.
    const bool ours = other.number_ >= 0 && other.is_ours();
    const int number = other.release();
    if (ours) hold(number);
  }

  void take_from_child() noexcept override { ::close(number_); }

  int number_ = -1;
};

}  // namespace memlane::detail::platform
