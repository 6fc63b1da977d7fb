// What the service thread sleeps on: many descriptors at once, and a way to wake it.
#pragma once

#include <cstdint>
#include <vector>

#include "memlane/platform/handle.hpp"

namespace memlane::detail::platform {

class Poller {
 public:
  struct Event {
    std::uint64_t key = 0;
    bool readable = false;  ///< or hung up: read to find out
    bool writable = false;
  };

  inline Poller();

  /// `key` comes back with the events. Keys are the caller's and not 0.
  inline void add(const Handle& descriptor, std::uint64_t key);
  /// False: the system has no means to tell, and the caller must look again by itself.
  inline bool want_writable(const Handle& descriptor, std::uint64_t key, bool wanted) noexcept;
  inline void remove(const Handle& descriptor) noexcept;

  /// Sleeps until something happens, at most `milliseconds` (-1: without an end), or until wake().
  inline void wait(std::vector<Event>& events, int milliseconds);
  /// From any thread.
  inline void wake() const noexcept;

 private:
  Handle set_;
  Handle wake_;
};

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/poller.hpp"
#endif
