// A subscriber that keeps what it takes: with `max_held` it spoils its own link, without it the publisher's memory.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"
#include "support/expect_error.hpp"
#include "support/payload.hpp"
#include "support/test_access.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::patience;
using test::payload;

std::vector<Sample> hold_all(Subscriber& subscriber) {
  std::vector<Sample> samples;
  while (auto sample = subscriber.take()) samples.push_back(std::move(*sample));
  return samples;
}

constexpr std::uint64_t budget = 1'000'000;
constexpr std::size_t large = 10'000;

TEST(Holding, who_keeps_everything_costs_the_others_nothing_where_there_is_a_limit) {
  Publisher publisher("lane", {.memory_budget = budget, .max_held = 5});
  Subscriber hoarder("lane", {.depth = 2, .overflow = Overflow::drop_oldest});
  Subscriber other("lane", {.depth = 4});
  std::vector<Sample> hoard;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    ASSERT_NO_THROW(publisher.send_copy(payload(large, i)));
    for (Sample& sample : hold_all(hoarder)) hoard.push_back(std::move(sample));
    EXPECT_LE(hoard.size(), 5U + 2U - 1U) << "what waits in the queue can still be taken";
    const auto sample = other.take(patience);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->sequence(), i);
  }
  EXPECT_EQ(hoarder.stats().dropped, 1000 - hoard.size());
  EXPECT_EQ(publisher.stats().dropped, hoarder.stats().dropped);

  hoard.clear();
  EXPECT_EQ(publisher.send_copy(payload(large, 1001)), 2U) << "it is as good as any other again";
  EXPECT_EQ(hoarder.take(patience)->sequence(), 1001U);
}

// The place that each sample has when it comes back is made before it goes out; not at the price of a copy of all places.
TEST(Holding, ever_more_samples_has_places_for_their_return_made_ahead_and_seldom) {
  Publisher publisher("lane");
  Subscriber hoarder("lane");
  std::vector<Sample> hoard;
  std::size_t growths = 0;
  std::size_t room = 0;
  for (std::uint64_t i = 1; i <= 2000; ++i) {
    publisher.send_copy(payload(1, i));
    hoard.push_back(std::move(hoarder.take(patience).value()));
    const std::size_t now = detail::TestAccess::room_for_tickets(publisher.port());
    ASSERT_GE(now, detail::TestAccess::tickets(publisher.port()));
    growths += now == room ? 0U : 1U;
    room = now;
  }
  EXPECT_GE(room, hoard.size());
  EXPECT_LE(growths, 12U);
}

TEST(Holding, without_a_limit_it_uses_up_the_budget) {
  Publisher publisher("lane", {.memory_budget = budget});
  Subscriber hoarder("lane", {.depth = 2, .overflow = Overflow::drop_oldest});
  std::vector<Sample> hoard;
  const auto feed_for_ever = [&] {
    while (hoard.size() <= budget / large) {
      publisher.send_copy(payload(large, 1));
      for (Sample& sample : hold_all(hoarder)) hoard.push_back(std::move(sample));
    }
  };
  EXPECT_ERROR(budget_spent, feed_for_ever(), "release samples");
}

TEST(Holding, block_waits_until_something_is_released) {
  Publisher publisher("lane", {.max_held = 2});
  Subscriber subscriber("lane", {.depth = 8});
  for (std::uint64_t i = 1; i <= 2; ++i) publisher.send_copy(payload(1, i));
  std::vector<Sample> held = hold_all(subscriber);
  ASSERT_EQ(held.size(), 2U);
  std::atomic<bool> sent{false};
  std::thread sender([&] {
    publisher.send_copy(payload(1, 3));
    sent = true;
  });
  EXPECT_FALSE(eventually([&] { return sent.load(); }, 50ms));
  held.pop_back();
  EXPECT_TRUE(eventually([&] { return sent.load(); }));
  sender.join();
  EXPECT_EQ(subscriber.take(patience)->sequence(), 3U);
}

TEST(Holding, block_gives_up_after_the_send_timeout_and_says_why) {
  Publisher publisher("lane", {.max_held = 1, .send_timeout = 20ms});
  Subscriber keeper("lane", {.depth = 8, .label = "keeper"});
  publisher.send_copy(payload(1, 1));
  const auto held = keeper.take(patience);
  EXPECT_ERROR(timeout, publisher.send_copy(payload(1, 2)), "(\"keeper\") on lane \"lane\" holds 1 samples or more");
  EXPECT_EQ(publisher.try_send_copy(payload(1, 2)).error().code(), ErrorCode::queue_full);
}

TEST(Holding, what_waits_when_the_limit_is_met_is_lost_to_nobody) {
  Publisher publisher("lane", {.max_held = 2});
  Subscriber subscriber("lane", {.depth = 8});
  for (std::uint64_t i = 1; i <= 8; ++i) publisher.send_copy(payload(1, i));  // nothing is held yet
  const std::vector<Sample> held = hold_all(subscriber);
  EXPECT_EQ(held.size(), 8U);
  EXPECT_EQ(publisher.stats().dropped, 0U);
}

TEST(Holding, fail_fails_and_drop_newest_drops) {
  Publisher publisher("lane", {.max_held = 1});
  Subscriber dropper("lane", {.overflow = Overflow::drop_newest});
  publisher.send_copy(payload(1, 1));
  auto kept = dropper.take(patience);
  EXPECT_EQ(publisher.send_copy(payload(1, 2)), 0U);
  EXPECT_EQ(dropper.stats().dropped, 1U);

  Subscriber failer("lane", {.overflow = Overflow::fail});
  EXPECT_EQ(publisher.send_copy(payload(1, 3)), 1U);
  auto also_kept = failer.take(patience);
  EXPECT_ERROR(queue_full, publisher.send_copy(payload(1, 4)), "as many as it may (max_held)");
  also_kept.reset();
  EXPECT_EQ(publisher.send_copy(payload(1, 4)), 1U);
}

// A taker beside the sender: whatever is in doubt between them, the bound holds, and each sample is held, dropped or waits.
TEST(Holding, the_limit_holds_while_both_sides_are_at_it) {
  constexpr std::uint32_t most = 3;
  constexpr std::uint32_t depth = 4;
  constexpr std::uint64_t samples = 20'000;
  for (const Overflow overflow : {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block}) {
    Publisher publisher("lane", {.max_held = most});
    Subscriber subscriber("lane", {.depth = depth, .overflow = overflow});
    std::atomic<bool> done{false};
    std::thread sender([&] {
      for (std::uint64_t i = 1; i <= samples; ++i) publisher.send_copy(payload(8, i));
      done = true;
    });
    std::minstd_rand chance(1);
    std::deque<Sample> held;
    std::uint64_t last = 0;
    std::uint64_t gaps = 0;
    for (;;) {
      const bool over = done;  // before the look: what was sent by then is seen
      auto sample = subscriber.take();
      const bool found = sample.has_value();
      if (found) {
        gaps += sample->sequence() - last - 1;
        last = sample->sequence();
        held.push_back(std::move(*sample));
        ASSERT_LE(held.size(), most + depth - 1);
      } else if (over && held.empty()) {
        break;
      }
      if (!held.empty() && (!found || chance() % 2 == 0)) held.pop_front();
    }
    sender.join();
    EXPECT_EQ(gaps + (samples - last), publisher.stats().dropped) << to_string(overflow);
    EXPECT_TRUE(publisher.flush(patience));
    if (overflow == Overflow::block) {
      EXPECT_EQ(publisher.stats().dropped, 0U);
    }
  }
}

}  // namespace
}  // namespace memlane
