// One of a crowd that joins a lane at the same moment, again and again: a publisher and a subscriber each time. Everybody
// must hear everybody.
//
//   crowd MEETING-FILE PROCESSES NUMBER ROUNDS
//
// Answers in one line: "ok MISSED MICROSECONDS SLOWEST", where the times are those of opening both ports.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"

namespace {

using Clock = std::chrono::steady_clock;

/// Where all wait for all.
class Meeting {
 public:
  Meeting(const char* path, std::uint64_t processes) : processes_(processes) {
    const int file = ::open(path, O_RDWR | O_CLOEXEC);
    void* const memory = ::mmap(nullptr, 64, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file < 0 || memory == MAP_FAILED) throw std::runtime_error("there is no meeting place");
    ::close(file);
    arrived_ = static_cast<std::atomic<std::uint64_t>*>(memory);
  }

  void wait_for_all() {
    arrived_->fetch_add(1);
    goal_ += processes_;
    // Not asleep, so that all go on at the same moment; but the machine may have fewer cores than the crowd has heads.
    const auto end = Clock::now() + std::chrono::minutes(2);
    while (arrived_->load() < goal_) {
      std::this_thread::yield();
      if (Clock::now() > end) throw std::runtime_error("somebody does not come");
    }
  }

 private:
  std::atomic<std::uint64_t>* arrived_;
  std::uint64_t processes_;
  std::uint64_t goal_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace memlane;
  try {
    if (argc != 5) throw std::runtime_error("four arguments are wanted");
    const std::uint64_t processes = std::stoull(argv[2]);
    const std::uint64_t number = std::stoull(argv[3]);
    const std::uint64_t rounds = std::stoull(argv[4]);
    Meeting meeting(argv[1], processes);
    std::uint64_t missed = 0;   // subscribers that a sample was not sent to
    std::uint64_t unheard = 0;  // publishers whose sample did not come
    std::chrono::duration<double, std::micro> sum{0};
    std::chrono::duration<double, std::micro> slowest{0};
    std::optional<Publisher> publisher;
    std::optional<Subscriber> subscriber;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      const std::string lane = "crowd/" + std::to_string(round);
      std::optional<Publisher> new_publisher;
      std::optional<Subscriber> new_subscriber;
      meeting.wait_for_all();
      const auto begin = Clock::now();
      // Half of them the one way round, half the other. A frozen peer is none: all are alive, so none is given up.
      for (std::uint64_t step = 0; step < 2; ++step) {
        if ((number + round + step) % 2 == 0) {
          new_publisher.emplace(lane, PublisherOptions{.join_timeout = test::patience});
        } else {
          new_subscriber.emplace(lane, SubscriberOptions{.join_timeout = test::patience});
        }
      }
      const std::chrono::duration<double, std::micro> span = Clock::now() - begin;
      sum += span;
      slowest = std::max(slowest, span);
      meeting.wait_for_all();
      const std::uint64_t reached = new_publisher->send_copy(std::as_bytes(std::span(&number, 1)));
      missed += processes - std::min(processes, reached);
      std::uint64_t heard = 0;
      while (heard != (std::uint64_t{1} << processes) - 1) {
        const auto sample = new_subscriber->take(test::patience);
        if (!sample) break;
        if (sample->sequence() == 1) heard |= std::uint64_t{1} << sample->as<std::uint64_t>();
      }
      unheard += processes - static_cast<std::uint64_t>(std::popcount(heard));
      meeting.wait_for_all();
      // Sometimes the next round finds the endpoints of this one, sometimes everybody is new.
      publisher.reset();
      subscriber.reset();
      if (round % 3 != 0) {
        publisher = std::move(new_publisher);
        subscriber = std::move(new_subscriber);
      }
    }
    publisher.reset();
    subscriber.reset();
    std::cout << "ok " << missed + unheard << ' ' << sum.count() / static_cast<double>(rounds) << ' ' << slowest.count()
              << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cout << error.what() << std::endl;
    return 1;
  }
}
