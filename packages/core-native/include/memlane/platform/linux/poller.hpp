// epoll and an eventfd that never leaves the process.
#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

inline Poller::Poller() {
  set_ = Handle::made_by([] { return sys::call("epoll_create1", [] { return ::epoll_create1(EPOLL_CLOEXEC); }); });
  if (!set_) sys::fail("cannot create an epoll set", errno);
  wake_ = Handle::made_by([] { return sys::call("eventfd", [] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }); });
  if (!wake_) sys::fail("cannot create an eventfd", errno);
  add(wake_, 0);
}

inline void Poller::add(const Handle& descriptor, std::uint64_t key) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key;
  if (sys::call("epoll_ctl(ADD)", [&] { return ::epoll_ctl(set_.get(), EPOLL_CTL_ADD, descriptor.get(), &event); }) !=
      0) {
    sys::fail("cannot watch a descriptor", errno);
  }
}

inline bool Poller::want_writable(const Handle& descriptor, std::uint64_t key, bool wanted) noexcept {
  epoll_event event{};
  event.events = EPOLLIN | (wanted ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.u64 = key;
  return sys::call("epoll_ctl(MOD)",
                   [&] { return ::epoll_ctl(set_.get(), EPOLL_CTL_MOD, descriptor.get(), &event); }) == 0;
}

inline void Poller::remove(const Handle& descriptor) noexcept {
  epoll_event unused{};
  sys::call("epoll_ctl(DEL)", [&] { return ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, descriptor.get(), &unused); });
}

inline void Poller::wait(std::vector<Event>& events, int milliseconds) {
  events.clear();
  std::array<epoll_event, 64> happened;  // NOLINT(cppcoreguidelines-pro-type-member-init): only written
  const int count = sys::call("epoll_wait", [&] {
    return ::epoll_wait(set_.get(), happened.data(), static_cast<int>(happened.size()), milliseconds);
  });
  for (int i = 0; i < count; ++i) {
    const epoll_event& one = happened[static_cast<std::size_t>(i)];
    if (one.data.u64 == 0) {
      std::uint64_t rings = 0;
      sys::retried("read(eventfd)", [&] { return ::read(wake_.get(), &rings, sizeof rings); });
      continue;
    }
    events.push_back(
        {one.data.u64, (one.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0, (one.events & EPOLLOUT) != 0});
  }
}

inline void Poller::wake() const noexcept {
  constexpr std::uint64_t once = 1;
  sys::retried("write(eventfd)", [&] { return ::write(wake_.get(), &once, sizeof once); });
}

}  // namespace memlane::detail::platform
