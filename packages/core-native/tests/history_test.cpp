// History: what a late joiner is given first.
#include <gtest/gtest.h>

#include <vector>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::is_payload;
using test::patience;
using test::payload;

std::vector<std::uint64_t> take_all(Subscriber& subscriber) {
  std::vector<std::uint64_t> sequences;
  while (const auto sample = subscriber.take()) {
    EXPECT_TRUE(is_payload(sample->bytes(), sample->sequence()));
    sequences.push_back(sample->sequence());
  }
  return sequences;
}

TEST(History, a_late_joiner_gets_the_last_ones_first_and_in_order) {
  Publisher publisher("lane", {.history = 3});
  for (std::uint64_t i = 1; i <= 10; ++i) publisher.send_copy(payload(1000 * i, i));
  Subscriber late("lane");
  publisher.send_copy(payload(5, 11));
  EXPECT_EQ(take_all(late), (std::vector<std::uint64_t>{8, 9, 10, 11}));
}

TEST(History, is_no_longer_than_the_joiners_queue) {
  Publisher publisher("lane", {.history = 10});
  for (std::uint64_t i = 1; i <= 10; ++i) publisher.send_copy(payload(100, i));
  Subscriber shallow("lane", {.depth = 2});
  EXPECT_EQ(take_all(shallow), (std::vector<std::uint64_t>{9, 10}));
}

TEST(History, of_none_gives_nothing) {
  Publisher publisher("lane");
  publisher.send_copy(payload(100, 1));
  Subscriber late("lane");
  EXPECT_TRUE(take_all(late).empty());
}

TEST(History, with_depth_one_and_drop_oldest_is_the_latest_value) {
  Publisher publisher("lane", {.history = 1});
  publisher.send_copy(payload(100, 1));
  Subscriber latest("lane", {.depth = 1, .overflow = Overflow::drop_oldest});
  for (std::uint64_t i = 2; i <= 5; ++i) publisher.send_copy(payload(100, i));
  EXPECT_EQ(take_all(latest), (std::vector<std::uint64_t>{5}));
  EXPECT_EQ(latest.stats().dropped, 4U);
}

TEST(History, keeps_its_memory_and_no_more) {
  Publisher publisher("lane", {.history = 2});
  const auto frame = payload(1'000'000, 1);
  for (std::uint64_t i = 1; i <= 200; ++i) publisher.send_copy(frame);
  EXPECT_LE(publisher.stats().bytes, 10'000'000U);
  EXPECT_EQ(publisher.stats().waiting, 0U);
  EXPECT_TRUE(publisher.flush(0ms)) << "history is not what waits for a subscriber";
}

}  // namespace
}  // namespace memlane
