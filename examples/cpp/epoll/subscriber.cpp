// A lane in an event loop of the program's own: one descriptor among others, here beside a timer.
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <iostream>
#include <memlane/memlane.hpp>
#include <string_view>

int main() {
  memlane::Subscriber greetings("examples/hello");
  const int lane = greetings.fileno();  // belongs to the subscriber: watched here, never read or closed
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  const itimerspec every_10_ms{{0, 10'000'000}, {0, 10'000'000}};
  timerfd_settime(timer, 0, &every_10_ms, nullptr);

  const int loop = epoll_create1(EPOLL_CLOEXEC);
  for (const int descriptor : {lane, timer}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
  }

  std::uint64_t ticks = 0;
  while (!greetings.idle()) {
    std::array<epoll_event, 2> events{};
    const int count = epoll_wait(loop, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      if (events[static_cast<std::size_t>(i)].data.fd == lane) {
        // Until nothing is left: the take that finds nothing is what makes the descriptor ring again.
        while (const auto sample = greetings.take()) {
          std::cout << std::string_view(reinterpret_cast<const char*>(sample->data()), sample->size()) << std::endl;
        }
      } else {
        std::uint64_t expirations = 0;
        if (read(timer, &expirations, sizeof expirations) == sizeof expirations) ticks += expirations;
      }
    }
  }
  std::cerr << "the timer ticked " << ticks << " times meanwhile\n";
  close(loop);
  close(timer);
}
