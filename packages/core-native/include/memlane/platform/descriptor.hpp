// An owned file descriptor, closed once, and never by a forked child.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <utility>

#include "memlane/platform/fork.hpp"

namespace memlane::detail::platform {

class Descriptor {
 public:
  Descriptor() noexcept = default;
  /// Takes over `number`; a negative one is no descriptor.
  explicit Descriptor(int number) : number_(number), generation_(fork_generation()) {
    if (number_ >= 0) register_descriptor(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)), generation_(other.generation_) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
      generation_ = other.generation_;
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  void reset() noexcept {
    const int number = std::exchange(number_, -1);
    // After a fork the number may be somebody else's: the handler in the child has closed ours already.
    if (number < 0 || generation_ != fork_generation()) return;
    unregister_descriptor(number);
    ::close(number);
  }

  [[nodiscard]] int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
  std::uint32_t generation_ = 0;
};

}  // namespace memlane::detail::platform
