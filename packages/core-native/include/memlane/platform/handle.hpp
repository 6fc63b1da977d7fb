// An owned file descriptor, closed once, and never by a forked child.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <utility>

#include "memlane/platform/fork.hpp"

namespace memlane::detail::platform {

class Handle {
 public:
  Handle() noexcept = default;
  /// Takes over `number`; a negative one is no descriptor.
  explicit Handle(int number) : number_(number), generation_(fork_generation()) {
    if (number_ >= 0) register_descriptor(number_);
  }
  /// Takes over what `make()` returns. No fork comes in between: its child would keep what is not registered yet, and with
  /// it, say, a connection whose end the peer then does not hear.
  template <class Make>
  [[nodiscard]] static Handle made_by(Make&& make) {
    const ForkLock no_fork_now;
    return Handle(make());
  }
  Handle(Handle&& other) noexcept : number_(std::exchange(other.number_, -1)), generation_(other.generation_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
      generation_ = other.generation_;
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  void reset() noexcept {
    const int number = std::exchange(number_, -1);
    // After a fork the number may be somebody else's: the handler in the child has closed ours already.
    if (number < 0 || generation_ != fork_generation()) return;
    unregister_descriptor(number);
    ::close(number);
  }

  /// Hands the descriptor to another owner, who closes it; a fork no longer takes it away.
  [[nodiscard]] int release() noexcept {
    if (number_ >= 0) unregister_descriptor(number_);
    return std::exchange(number_, -1);
  }

  [[nodiscard]] int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
  std::uint32_t generation_ = 0;
};

}  // namespace memlane::detail::platform
