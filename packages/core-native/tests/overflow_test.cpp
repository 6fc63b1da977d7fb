// What happens when a subscriber's queue is full: four policies, drops counted at both ends, waits that name who is slow.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

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

TEST(Overflow, block_waits_and_loses_nothing) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 2});
  std::thread sender([&] {
    for (std::uint64_t i = 1; i <= 100; ++i) publisher.send_copy(payload(50, i));
  });
  for (std::uint64_t i = 1; i <= 100; ++i) {
    const auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->sequence(), i);
  }
  sender.join();
  EXPECT_EQ(publisher.stats().dropped, 0U);
  EXPECT_EQ(subscriber.stats().dropped, 0U);
}

TEST(Overflow, block_gives_up_after_the_send_timeout_and_names_the_subscriber) {
  Publisher publisher("lane", {.send_timeout = 20ms});
  Subscriber slow("lane", {.depth = 1, .label = "slow one"});
  Subscriber quick("lane", {.depth = 4});
  EXPECT_EQ(publisher.send_copy(payload(1, 1)), 2U);
  Loan loan = publisher.loan(1);
  EXPECT_ERROR(timeout, publisher.send(std::move(loan)), "slow one");
  EXPECT_ERROR(timeout, publisher.send(std::move(loan)), std::to_string(::getpid()));
  EXPECT_TRUE(loan) << "it is still the caller's";
  EXPECT_EQ(quick.stats().waiting, 1U) << "all or nothing";
  EXPECT_TRUE(slow.take(patience));
  EXPECT_EQ(publisher.send(std::move(loan)), 2U);
  EXPECT_EQ(slow.take(patience)->sequence(), 2U) << "a send that failed takes no number";
}

TEST(Overflow, a_try_never_waits) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 1});
  Loan first = publisher.loan(1);
  Loan second = publisher.loan(1);
  EXPECT_EQ(publisher.try_send(first).value(), 1U);
  const auto full = publisher.try_send(second);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), ErrorCode::queue_full);
  EXPECT_TRUE(second);
  EXPECT_EQ(publisher.try_send_copy(payload(1, 1)).error().code(), ErrorCode::queue_full);
  EXPECT_TRUE(subscriber.take(patience));
  EXPECT_TRUE(publisher.try_send(second));
}

TEST(Overflow, drop_oldest_keeps_the_newest_and_counts) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 3, .overflow = Overflow::drop_oldest});
  for (std::uint64_t i = 1; i <= 10; ++i) EXPECT_EQ(publisher.send_copy(payload(50, i)), 1U);
  EXPECT_EQ(subscriber.stats().waiting, 3U);
  EXPECT_EQ(subscriber.stats().dropped, 7U);
  EXPECT_EQ(publisher.stats().dropped, 7U);
  EXPECT_EQ(publisher.stats().waiting, 3U);
  for (std::uint64_t i = 8; i <= 10; ++i) {
    const auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->sequence(), i);
    EXPECT_TRUE(test::is_payload(sample->bytes(), i));
  }
  EXPECT_FALSE(subscriber.take());
  EXPECT_TRUE(publisher.flush(patience));
}

TEST(Overflow, drop_newest_keeps_the_oldest_and_counts) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 3, .overflow = Overflow::drop_newest});
  Subscriber other("lane");
  for (std::uint64_t i = 1; i <= 10; ++i) EXPECT_EQ(publisher.send_copy(payload(50, i)), i <= 3 ? 2U : 1U);
  EXPECT_EQ(subscriber.stats().dropped, 7U);
  EXPECT_EQ(publisher.stats().dropped, 7U);
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(subscriber.take(patience)->sequence(), i);
  EXPECT_FALSE(subscriber.take());
  EXPECT_EQ(other.stats().waiting, 10U);
}

TEST(Overflow, fail_reaches_nobody) {
  Publisher publisher("lane");
  Subscriber strict("lane", {.depth = 1, .overflow = Overflow::fail, .label = "strict"});
  Subscriber other("lane");
  EXPECT_EQ(publisher.send_copy(payload(1, 1)), 2U);
  EXPECT_ERROR(queue_full, publisher.send_copy(payload(1, 2)), "strict");
  EXPECT_EQ(other.stats().waiting, 1U);
  EXPECT_EQ(publisher.stats().sent, 1U);
  EXPECT_TRUE(strict.take(patience));
  EXPECT_EQ(publisher.send_copy(payload(1, 2)), 2U);
}

// Whoever asked for failing must not make the sender wait for another one first.
TEST(Overflow, fail_comes_before_block) {
  for (const bool strict_first : {true, false}) {
    Publisher publisher("lane");
    std::optional<Subscriber> strict;
    if (strict_first) strict.emplace("lane", SubscriberOptions{.depth = 1, .overflow = Overflow::fail});
    Subscriber patient("lane", {.depth = 1});
    if (!strict_first) strict.emplace("lane", SubscriberOptions{.depth = 1, .overflow = Overflow::fail});
    publisher.send_copy(payload(1, 1));
    EXPECT_ERROR(queue_full, publisher.send_copy(payload(1, 2)), "asked for the send to fail");
  }
}

TEST(Overflow, a_full_subscriber_that_leaves_lets_the_sender_go_on) {
  Publisher publisher("lane");
  auto slow = std::make_optional<Subscriber>("lane", SubscriberOptions{.depth = 1});
  publisher.send_copy(payload(1, 1));
  std::atomic<bool> done{false};
  std::thread sender([&] {
    EXPECT_EQ(publisher.send_copy(payload(1, 2)), 0U);
    done = true;
  });
  slow.reset();
  sender.join();
  EXPECT_TRUE(done);
}

TEST(Overflow, the_dropped_memory_is_used_again) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 2, .overflow = Overflow::drop_oldest});
  const auto frame = payload(100'000, 1);
  for (std::uint64_t i = 1; i <= 500; ++i) publisher.send_copy(frame);
  EXPECT_LE(publisher.stats().bytes, 2'000'000U);
  static_cast<void>(subscriber);
}

}  // namespace
}  // namespace memlane
