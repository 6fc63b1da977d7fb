// Waiting: several threads on a port, stop and close while they wait, the descriptor for event loops, many ports at once.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"
#include "support/expect_error.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::patience;
using test::payload;

bool readable(int descriptor, int milliseconds = 0) {
  pollfd look{descriptor, POLLIN, 0};
  return ::poll(&look, 1, milliseconds) == 1;
}

TEST(Waiting, a_take_without_time_returns_at_once_and_one_with_time_when_it_is_over) {
  Subscriber subscriber("lane");
  EXPECT_FALSE(subscriber.take());
  EXPECT_FALSE(subscriber.take(0ms));
  EXPECT_FALSE(subscriber.take(-5s));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(subscriber.take(30ms));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
}

TEST(Waiting, durations_without_an_end_do_not_overflow) {
  Publisher publisher("lane", {.join_timeout = std::chrono::hours(24 * 365 * 290)});
  Subscriber subscriber(
      "lane", {.join_timeout = std::chrono::hours(24 * 365 * 290), .spin = std::chrono::hours(24 * 365 * 200)});
  std::thread later([&] { publisher.send_copy(payload(1, 1)); });
  EXPECT_TRUE(subscriber.take(std::chrono::hours(24 * 365 * 291)));
  later.join();
}

TEST(Waiting, stop_ends_what_waits_and_nothing_later) {
  Publisher publisher("lane", {.history = 0});
  Subscriber subscriber("lane", {.depth = 1});
  publisher.send_copy(payload(1, 1));
  auto held = subscriber.take(patience);
  publisher.send_copy(payload(1, 2));
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  Subscriber quiet("other");
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      EXPECT_FALSE(quiet.take(forever));
      ++ended;
    });
  }
  threads.emplace_back([&] {
    EXPECT_ERROR(interrupted, publisher.send_copy(payload(1, 3)), "stopped");
    ++ended;
  });
  threads.emplace_back([&] {
    EXPECT_FALSE(publisher.flush(forever));
    ++ended;
  });
  threads.emplace_back([&] {
    EXPECT_FALSE(publisher.wait_for_subscribers(7, forever));
    ++ended;
  });
  // Whoever has not begun to wait yet is caught by the next stop.
  EXPECT_TRUE(eventually([&] {
    quiet.stop();
    publisher.stop();
    return ended == 6;
  }));
  for (auto& thread : threads) thread.join();
  held->release();
  EXPECT_TRUE(subscriber.take(patience));
  EXPECT_EQ(publisher.send_copy(payload(1, 4)), 1U) << "it works on";
}

TEST(Waiting, a_call_that_spins_can_be_interrupted_as_one_that_sleeps) {
  Subscriber subscriber("lane", {.spin = 1h});
  const detail::Interrupt now{[](void*) { return true; }, nullptr};
  auto take =
      std::async(std::launch::async, [&] { EXPECT_ERROR(interrupted, subscriber.take(forever, now), "interrupted"); });
  const bool ended = take.wait_for(patience) == std::future_status::ready;
  if (!ended) subscriber.stop();
  take.get();
  EXPECT_TRUE(ended);
}

TEST(Waiting, close_ends_what_waits) {
  Publisher publisher("lane");
  Subscriber full("lane", {.depth = 1});
  publisher.send_copy(payload(1, 1));
  Subscriber subscriber("other");
  std::vector<std::thread> threads;
  threads.emplace_back([&] { EXPECT_ERROR(closed, publisher.send_copy(payload(1, 2)), "closed"); });
  threads.emplace_back([&] { EXPECT_ERROR(closed, publisher.flush(forever), "closed"); });
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      try {
        EXPECT_FALSE(subscriber.take(forever));
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::closed) << "it had not begun";
      }
    });
  }
  threads.emplace_back([&] {
    for (const Sample& sample : subscriber) ADD_FAILURE() << sample.size();
  });
  std::this_thread::sleep_for(5ms);  // the more of them wait by then, the better; none need to
  publisher.close();
  subscriber.close();
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(publisher.closed());
  EXPECT_ERROR(closed, publisher.loan(1), "closed");
  EXPECT_ERROR(closed, subscriber.take(), "closed");
  publisher.close();
}

TEST(Waiting, every_thread_of_a_port_gets_its_share) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 4});
  constexpr std::uint64_t samples = 2000;
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        while (auto sample = subscriber.take(forever)) {
          sum += sample->sequence();
          ++taken;
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::closed) << "the last one was taken by a thread that now asks for another";
      }
    });
  }
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t n = 0; n < samples / 4; ++n) publisher.send_copy(payload(100, n));
    });
  }
  EXPECT_TRUE(eventually([&] { return taken == samples; })) << taken;
  EXPECT_EQ(sum, samples * (samples + 1) / 2);
  subscriber.close();
  for (auto& thread : threads) thread.join();
}

// One thread sleeps on the bell, the others behind it. Whoever leaves must not take the bell along.
TEST(Waiting, a_thread_behind_others_that_give_up_is_not_forgotten) {
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  for (int round = 0; round < 150; ++round) {
    std::vector<std::thread> hasty;
    std::atomic<bool> got{false};
    for (int i = 0; i < 2; ++i) hasty.emplace_back([&] { EXPECT_FALSE(subscriber.take(1ms)); });
    std::thread patient([&] { got = subscriber.take(patience).has_value(); });
    for (int i = 0; i < 2; ++i) hasty.emplace_back([&] { EXPECT_FALSE(subscriber.take(1ms)); });
    for (auto& thread : hasty) thread.join();
    publisher.send_copy(payload(1, 1));
    const auto sent = std::chrono::steady_clock::now();
    patient.join();
    ASSERT_TRUE(got);
    ASSERT_LT(std::chrono::steady_clock::now() - sent, patience / 2) << "it was only found when the time was over";
  }
}

TEST(Waiting, senders_behind_a_sender_that_goes_on_are_not_forgotten) {
  for (int round = 0; round < 100; ++round) {
    Publisher publisher("lane");
    Subscriber subscriber("lane", {.depth = 1});
    std::vector<std::thread> senders;
    for (int i = 0; i < 4; ++i) senders.emplace_back([&] { publisher.send_copy(payload(1, 1)); });
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(subscriber.take(patience)) << "round " << round;
    for (auto& sender : senders) sender.join();
  }
}

// The one who waits for publishers looks at first, and tells nobody that it does; the one who takes waits behind it.
TEST(Waiting, a_take_behind_a_wait_for_something_else_is_woken) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.spin = 30ms});
  publisher.send_copy(payload(1, 1));  // it has its memory now, of which the service thread would tell
  ASSERT_TRUE(subscriber.take(patience));
  for (int round = 0; round < 5; ++round) {
    std::thread other([&] { EXPECT_FALSE(subscriber.wait_for_publishers(2, forever)); });
    std::this_thread::sleep_for(5ms);  // the more often it waits by then, and looks, the better; it need not
    std::atomic<bool> got{false};
    std::thread taker([&] { got = subscriber.take(patience).has_value(); });
    std::this_thread::sleep_for(5ms);
    publisher.send_copy(payload(1, 1));
    const auto sent = std::chrono::steady_clock::now();
    taker.join();
    EXPECT_TRUE(got);
    EXPECT_LT(std::chrono::steady_clock::now() - sent, patience / 2) << "it was only found when the time was over";
    std::atomic<bool> over{false};
    std::thread stopper([&] {
      while (!over) {
        subscriber.stop();  // whoever has not begun to wait yet is caught by the next one
        std::this_thread::sleep_for(1ms);
      }
    });
    other.join();
    over = true;
    stopper.join();
  }
}

// ---- the descriptor ----

std::chrono::nanoseconds processor_time_of_this_thread() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// The blocking call silences the bell, finds what it wants before it sleeps, and leaves.
TEST(Waiting, a_blocking_call_gives_the_ring_back_that_it_took_from_the_loop) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.spin = 30s});
  const int descriptor = subscriber.fileno();
  std::thread later([&] {
    std::this_thread::sleep_for(5ms);  // so that the call waits by then, though it need not
    publisher.send_copy(payload(1, 1));
  });
  EXPECT_TRUE(subscriber.take(patience));
  later.join();
  publisher.send_copy(payload(1, 2));
  EXPECT_TRUE(readable(descriptor, 30'000));
}

TEST(Waiting, on_a_port_whose_descriptor_is_known_sleeps_as_well) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 1});
  static_cast<void>(subscriber.fileno());
  static_cast<void>(publisher.fileno());
  const auto begin = processor_time_of_this_thread();
  EXPECT_FALSE(subscriber.take(300ms));
  publisher.send_copy(payload(1, 1));
  EXPECT_FALSE(publisher.flush(300ms));
  Loan loan = publisher.loan(1);
  EXPECT_ERROR(timeout, publisher.send_within(loan, {}, 300ms), "full");
  EXPECT_LT(processor_time_of_this_thread() - begin, 150ms) << "it was busy instead";
}

TEST(Waiting, the_descriptor_is_quiet_after_a_take_that_found_nothing_and_readable_when_there_is_something) {
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  const int descriptor = subscriber.fileno();
  EXPECT_EQ(descriptor, subscriber.fileno());
  EXPECT_TRUE(readable(descriptor)) << "the first look is the loop's";
  EXPECT_FALSE(subscriber.take());
  EXPECT_FALSE(readable(descriptor));
  for (int round = 0; round < 100; ++round) {
    publisher.send_copy(payload(10, 1));
    ASSERT_TRUE(readable(descriptor, 30'000));
    ASSERT_TRUE(subscriber.take(patience));
    while (readable(descriptor)) ASSERT_FALSE(subscriber.take());
  }
}

TEST(Waiting, the_descriptor_tells_of_room_joins_leaves_and_stop) {
  Publisher publisher("lane");
  const int descriptor = publisher.fileno();
  const auto becomes_quiet = [&] {
    return eventually([&] {
      static_cast<void>(publisher.ready());
      return !readable(descriptor);
    });
  };
  Subscriber full("lane", {.depth = 1});
  publisher.send_copy(payload(1, 1));
  EXPECT_FALSE(publisher.ready());
  ASSERT_TRUE(becomes_quiet());
  auto held = full.take(patience);
  ASSERT_TRUE(readable(descriptor, 30'000)) << "room";
  EXPECT_TRUE(publisher.ready());

  publisher.send_copy(payload(1, 1));
  EXPECT_FALSE(publisher.ready());
  ASSERT_TRUE(becomes_quiet());
  auto another = std::make_optional<Subscriber>("lane");
  ASSERT_TRUE(readable(descriptor, 30'000)) << "a join";
  ASSERT_TRUE(becomes_quiet());
  another.reset();
  ASSERT_TRUE(readable(descriptor, 30'000)) << "a leave";
  ASSERT_TRUE(becomes_quiet());
  publisher.stop();
  EXPECT_TRUE(readable(descriptor)) << "stop";
}

// A look for something else must not silence the ring of a sample that nobody has seen.
TEST(Waiting, a_look_for_peers_does_not_swallow_the_ring_of_a_sample) {
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  const int descriptor = subscriber.fileno();
  EXPECT_FALSE(subscriber.take());
  publisher.send_copy(payload(1, 1));
  EXPECT_FALSE(subscriber.wait_for_publishers(2, 0ms));
  EXPECT_TRUE(readable(descriptor, 30'000));
  EXPECT_TRUE(subscriber.take(patience));
}

TEST(Waiting, a_level_or_edge_triggered_loop_misses_nothing) {
  for (const std::uint32_t edge : {0U, static_cast<std::uint32_t>(EPOLLET)}) {
    Publisher publisher("lane");
    Subscriber subscriber("lane", {.depth = 8});
    const detail::platform::Handle set(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{};
    event.events = EPOLLIN | edge;
    ASSERT_EQ(::epoll_ctl(set.get(), EPOLL_CTL_ADD, subscriber.fileno(), &event), 0);
    constexpr std::uint64_t samples = 20'000;
    std::thread sender([&] {
      for (std::uint64_t i = 1; i <= samples; ++i) {
        publisher.send_copy(payload(16, i));
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
    std::uint64_t taken = 0;
    while (taken < samples) {
      epoll_event happened{};
      ASSERT_EQ(::epoll_wait(set.get(), &happened, 1, 30'000), 1) << "a wake-up was lost after " << taken;
      while (const auto sample = subscriber.take()) ASSERT_EQ(sample->sequence(), ++taken);
    }
    sender.join();
  }
}

// The other direction: a loop that sends whenever there is room.
TEST(Waiting, a_loop_that_waits_for_room_misses_none) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 2});
  constexpr std::uint64_t samples = 5'000;
  std::thread receiver([&] {
    for (std::uint64_t i = 1; i <= samples; ++i) ASSERT_EQ(subscriber.take(patience)->sequence(), i);
  });
  const int descriptor = publisher.fileno();
  for (std::uint64_t sent = 0; sent < samples;) {
    ASSERT_TRUE(readable(descriptor, 30'000)) << "a wake-up was lost after " << sent;
    while (sent < samples && publisher.try_send_copy(payload(16, sent + 1))) ++sent;
    static_cast<void>(publisher.ready());
  }
  receiver.join();
}

// ---- many ports ----

TEST(Waiting, on_many_ports_tells_which_are_ready) {
  Publisher a("a");
  Publisher b("b");
  Subscriber from_a("a");
  Subscriber from_b("b");
  Publisher full("full");
  Subscriber slow("full", {.depth = 1});
  full.send_copy(payload(1, 1));
  EXPECT_TRUE(wait({from_a, from_b, full}, 5ms).empty());
  b.send_copy(payload(1, 1));
  EXPECT_EQ(wait({from_a, from_b, full}, patience), std::vector<std::size_t>{1});
  EXPECT_EQ(wait({from_a, from_b, full}, 0ms), std::vector<std::size_t>{1}) << "until it is taken";
  EXPECT_TRUE(from_b.take(patience));
  std::thread later([&] {
    a.send_copy(payload(1, 1));
    static_cast<void>(slow.take(patience));
  });
  std::set<std::size_t> ready;
  while (ready.size() < 2) {
    const auto now = wait({from_a, from_b, full}, patience);
    ASSERT_FALSE(now.empty());
    ready.insert(now.begin(), now.end());
  }
  later.join();
  EXPECT_EQ(ready, (std::set<std::size_t>{0, 2}));
  from_a.close();
  EXPECT_ERROR(closed, wait({from_a, from_b}, 0ms), "closed");
  EXPECT_TRUE(wait({}, 1ms).empty());
  EXPECT_ERROR(invalid_argument, wait({}), "would never end");
}

}  // namespace
}  // namespace memlane
