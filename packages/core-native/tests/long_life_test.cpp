// Long lives: numbers that come to their end, a lane that sees very many ports come and go, crowds that join at the same
// moment.
//
// MEMLANE_TEST_JOINS and MEMLANE_TEST_PAIRS make the last two longer; a million, and 100,000, are worth an hour.
#include <gtest/gtest.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/child_process.hpp"
#include "support/eventually.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"
#include "support/ring_pair.hpp"
#include "support/test_access.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using detail::SenderRing;
using detail::TestAccess;
using test::eventually;
using test::is_payload;
using test::is_whole;
using test::numbered;
using test::patience;
using test::payload;
using test::RingPair;

constexpr std::uint64_t end_of_64 = std::numeric_limits<std::uint64_t>::max();

/// Where a count may go wrong: the last positions before 2^32, 2^63 and 2^64.
constexpr std::array<std::uint64_t, 3> edges{(std::uint64_t{1} << 32U) - 9, (std::uint64_t{1} << 63U) - 9,
                                             end_of_64 - 8};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

/// As many as the environment asks for.
std::uint64_t asked_for(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

// ---- the ends of numbers ----

TEST(Wrap, positions_are_compared_by_their_distance) {
  using detail::is_before;
  EXPECT_TRUE(is_before(0, 1));
  EXPECT_FALSE(is_before(1, 1));
  EXPECT_FALSE(is_before(2, 1));
  EXPECT_TRUE(is_before(end_of_64, 0));
  EXPECT_FALSE(is_before(0, end_of_64));
  EXPECT_TRUE(is_before(end_of_64 - 3, 5));
  EXPECT_TRUE(is_before((std::uint64_t{1} << 63U) - 1, std::uint64_t{1} << 63U));
}

TEST(Wrap, rings_hand_over_and_return_across_the_end_of_positions) {
  for (const std::uint64_t edge : edges) {
    for (const std::uint32_t depth : {1U, 3U, 16U}) {
      SCOPED_TRACE(std::to_string(edge) + " depth " + std::to_string(depth));
      RingPair pair(depth, false);
      TestAccess::start_rings_at(pair.sender, pair.receiver, edge);
      std::uint64_t position = edge;
      std::uint64_t returned = edge;
      for (int round = 0; round < 40; ++round) {
        ASSERT_EQ(pair.sender.waiting(), 0U);
        while (pair.sender.has_room(depth)) pair.sender.push(numbered(pair.sender.tail()));
        ASSERT_EQ(pair.sender.waiting(), depth);
        ASSERT_EQ(pair.receiver.waiting(), depth);
        while (const auto look = pair.receiver.look([](std::uint64_t) { FAIL(); })) {
          ASSERT_EQ(look->position, position);
          ASSERT_EQ(look->descriptor.sequence, position++);
          ASSERT_TRUE(is_whole(look->descriptor));
          ASSERT_TRUE(pair.receiver.take());
          ASSERT_TRUE(pair.receiver.give_back(look->position, look->descriptor.ticket, false));
        }
        pair.sender.collect_returns([&](const SenderRing::Return& each) { ASSERT_EQ(each.position, returned++); });
      }
      EXPECT_EQ(position, edge + std::uint64_t{40} * depth);
      EXPECT_EQ(returned, position);
    }
  }
}

TEST(Wrap, the_ring_of_returns_fills_and_empties_across_the_end) {
  RingPair pair(4, false);
  TestAccess::start_rings_at(pair.sender, pair.receiver, end_of_64 - 50);
  const std::uint32_t room = detail::returns_capacity(4);
  for (std::uint32_t i = 0; i < room; ++i) ASSERT_TRUE(pair.receiver.give_back(i, i, false));
  EXPECT_FALSE(pair.receiver.give_back(room, room, false));
  std::uint64_t count = 0;
  pair.sender.collect_returns([&](const SenderRing::Return& each) { EXPECT_EQ(each.ticket, count++); });
  EXPECT_EQ(count, room);
  EXPECT_TRUE(pair.receiver.give_back(room, room, false));
}

TEST(Wrap, what_was_taken_back_is_not_delivered_across_the_end) {
  for (const std::uint64_t edge : edges) {
    SCOPED_TRACE(edge);
    RingPair pair(3, true);
    TestAccess::start_rings_at(pair.sender, pair.receiver, edge);
    std::uint64_t sent = 0;
    std::uint64_t expected = 0;
    for (int round = 0; round < 30; ++round) {
      for (int i = 0; i < 5; ++i) {
        if (!pair.sender.has_room(3)) {
          std::uint64_t position = 0;
          ASSERT_EQ(pair.sender.take_back(position), SenderRing::TakeBack::taken);
          ASSERT_EQ(position, edge + expected++);
        }
        pair.sender.push(numbered(++sent));
      }
      ASSERT_EQ(pair.receiver.waiting(), 3U);
      const auto look = pair.receiver.look([&](std::uint64_t) {});
      ASSERT_TRUE(look);
      ASSERT_EQ(look->position, edge + expected++);
      ASSERT_EQ(look->descriptor.sequence, expected);
      ASSERT_TRUE(pair.receiver.take());
    }
  }
}

TEST(Wrap, a_receiver_that_looked_before_the_take_back_yields_at_the_end) {
  RingPair pair(2, true);
  TestAccess::start_rings_at(pair.sender, pair.receiver, end_of_64);
  pair.sender.push(numbered(1));
  pair.sender.push(numbered(2));
  const auto look = pair.receiver.look([](std::uint64_t) { FAIL(); });
  ASSERT_TRUE(look);
  std::uint64_t position = 0;
  EXPECT_EQ(pair.sender.take_back(position), SenderRing::TakeBack::taken);
  EXPECT_EQ(position, end_of_64);
  EXPECT_FALSE(pair.receiver.still_waits(look->position));
  EXPECT_FALSE(pair.receiver.take()) << "the sender was first";
  EXPECT_EQ(pair.receiver.look([](std::uint64_t) {})->descriptor.sequence, 2U);
}

TEST(Wrap, nonsense_is_corrupt_at_the_end_too) {
  const auto of = [](const detail::platform::OwnedMemory& half) { return half.mapping.data(); };
  for (const std::uint64_t wrong : {end_of_64 - 9, std::uint64_t{5}, std::uint64_t{1} << 63U}) {
    SCOPED_TRACE(wrong);
    RingPair pair(2, true);
    TestAccess::start_rings_at(pair.sender, pair.receiver, end_of_64);
    pair.sender.push(numbered(1));
    reinterpret_cast<detail::ReceiverHalf*>(of(pair.receiver_half))->head = wrong;
    EXPECT_THROW(static_cast<void>(pair.sender.waiting()), detail::Corruption);
    reinterpret_cast<detail::SenderHalf*>(of(pair.sender_half))->floor = wrong;
    EXPECT_THROW(static_cast<void>(pair.receiver.look([](std::uint64_t) {})), detail::Corruption);
  }
}

/// Sends and takes in two threads; every sample arrives, in order, whole.
void exchange_across(const SubscriberOptions& options, std::uint64_t edge) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", options);
  TestAccess::start_link_at(publisher.port(), subscriber.port(), edge);
  TestAccess::start_sequence_at(publisher.port(), edge - 5);
  TestAccess::start_sleeps_at(publisher.port(), end_of_64 - 3);
  TestAccess::start_sleeps_at(subscriber.port(), end_of_64 - 3);
  constexpr std::uint64_t count = 400;
  std::thread receiver([&] {
    std::optional<Sample> kept;  // so that returns come out of order
    for (std::uint64_t i = 1; i <= count; ++i) {
      auto sample = subscriber.take(patience);
      ASSERT_TRUE(sample) << "number " << i;
      ASSERT_EQ(sample->sequence(), edge - 5 + i);
      ASSERT_TRUE(is_payload(sample->bytes(), i));
      if (i % 3 == 0) kept = std::move(sample);
    }
  });
  for (std::uint64_t i = 1; i <= count; ++i) EXPECT_EQ(publisher.send_copy(payload(100, i)), 1U);
  receiver.join();
  EXPECT_TRUE(publisher.flush(patience));
  EXPECT_EQ(publisher.stats().waiting, 0U);
  EXPECT_EQ(publisher.stats().broken, 0U);
  EXPECT_EQ(subscriber.stats().broken, 0U);
  EXPECT_EQ(subscriber.stats().dropped, 0U);
  EXPECT_LE(TestAccess::tickets(publisher.port()), options.depth + 3) << "tickets are used again";
}

TEST(Wrap, ports_go_on_across_the_end_of_positions_sequences_and_sleeps) {
  for (const std::uint64_t edge : edges) {
    SCOPED_TRACE(edge);
    exchange_across({.depth = 1}, edge);
    exchange_across({.depth = 4, .spin = 0ns}, edge);
  }
}

TEST(Wrap, drop_oldest_counts_right_across_the_end) {
  for (const std::uint64_t edge : edges) {
    SCOPED_TRACE(edge);
    Publisher publisher("lane");
    Subscriber subscriber("lane", {.depth = 3, .overflow = Overflow::drop_oldest});
    TestAccess::start_link_at(publisher.port(), subscriber.port(), edge);
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    for (int round = 0; round < 30; ++round) {
      for (int i = 0; i < 5; ++i) publisher.send_copy(payload(10, ++sent));
      for (std::uint64_t i = 0; i < 2; ++i) {
        const auto sample = subscriber.take(patience);
        ASSERT_TRUE(sample);
        ++received;
        ASSERT_EQ(sample->sequence(), sent - 2 + i);
        ASSERT_TRUE(is_payload(sample->bytes(), sample->sequence()));
      }
    }
    EXPECT_TRUE(subscriber.take());
    EXPECT_FALSE(subscriber.take());
    EXPECT_TRUE(publisher.flush(patience));
    EXPECT_EQ(subscriber.stats().dropped, sent - received - 1);
    EXPECT_EQ(publisher.stats().dropped, subscriber.stats().dropped);
    EXPECT_EQ(publisher.stats().broken + subscriber.stats().broken, 0U);
  }
}

TEST(Wrap, a_segment_never_gets_the_number_of_another_that_is_in_use) {
  Publisher publisher("lane");
  Subscriber subscriber("lane", {.depth = 64});
  TestAccess::start_segments_at(publisher.port(), std::numeric_limits<std::uint32_t>::max() - 1);
  std::vector<Sample> held;
  std::uint64_t sent = 0;
  const auto exchange = [&](std::size_t size) {
    publisher.send_copy(payload(size, ++sent));
    auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample);
    ASSERT_TRUE(is_payload(sample->bytes(), sent));
    held.push_back(std::move(*sample));
  };
  for (std::size_t size = 1000; size < 1'000'000; size *= 2) exchange(size);  // a segment each, across the end
  TestAccess::start_segments_at(publisher.port(), std::numeric_limits<std::uint32_t>::max() - 1);
  for (std::size_t size = 1'000'000; size < 20'000'000; size *= 2) exchange(size);
  for (std::size_t i = 0; i < held.size(); ++i) EXPECT_TRUE(is_payload(held[i].bytes(), i + 1));
  EXPECT_EQ(subscriber.stats().broken, 0U);
}

TEST(Wrap, ports_meet_under_the_last_number_of_all) {
  Publisher publisher("lane");
  TestAccess::start_ports_at(publisher.port(), end_of_64 - 1);
  Subscriber last_but_one("lane");
  Subscriber last("lane");
  EXPECT_EQ(publisher.send_copy(payload(100, 1)), 2U);
  for (Subscriber* const each : {&last_but_one, &last}) EXPECT_EQ(each->take(patience)->sequence(), 1U);
  test::Peer peer({"pub p lane"});
  EXPECT_EQ(peer.ask("send p 100 1"), "ok 2");
}

// ---- a lane that lives long ----

/// What a process could hold ever more of.
struct Holdings {
  std::size_t descriptors = 0;
  std::size_t mappings = 0;
  std::size_t names = 0;
  std::size_t heap = 0;  // bytes

  static Holdings now() {
    Holdings holdings;
    holdings.descriptors = test::open_descriptors().size();
    holdings.names = test::names_in_lane_directory().size();
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find("memfd:memlane") != std::string::npos) ++holdings.mappings;
    }
#if defined(__GLIBC__)
    // Sanitizers have a heap of their own, and find what is never freed by themselves.
    if (!sanitized) {
      const struct mallinfo2 heap = ::mallinfo2();
      holdings.heap = heap.uordblks + heap.hblkhd;
    }
#endif
    return holdings;
  }

  [[nodiscard]] std::string text() const {
    return std::to_string(descriptors) + " descriptors, " + std::to_string(mappings) + " mappings, " +
           std::to_string(names) + " names, " + std::to_string(heap) + " bytes";
  }

  /// No more of anything that is counted. The heap may hold what a moment needed in which many came at once, and the
  /// smallest piece of memory for each of the joins would be more than that.
  [[nodiscard]] bool fits_into(const Holdings& before) const {
    constexpr std::size_t slack = 49152;  // bytes
    return descriptors <= before.descriptors && mappings <= before.mappings && names <= before.names &&
           heap <= before.heap + slack;
  }
};

void expect_no_growth(const Holdings& before) {
  Holdings after;
  EXPECT_TRUE(eventually([&] {
    after = Holdings::now();
    return after.fits_into(before);
  })) << "before: "
      << before.text() << "\nafter: " << after.text();
}

TEST(LongLife, a_lane_does_not_grow_with_ports_that_come_and_go) {
  const std::uint64_t joins = asked_for("MEMLANE_TEST_JOINS", sanitized ? 2'000 : 10'000);
  Publisher publisher("lane", {.history = 1});
  Subscriber subscriber("lane", {.depth = 64});
  const auto come_and_go = [&](std::uint64_t times) {
    for (std::uint64_t i = 1; i <= times; ++i) {
      publisher.send_copy(payload(1000, i));
      if (i % 2 == 0) {
        Subscriber guest("lane");
        const auto sample = guest.take(patience);
        ASSERT_TRUE(sample);
        ASSERT_TRUE(is_payload(sample->bytes(), i));
      } else {
        Publisher guest("lane");
        ASSERT_EQ(guest.send_copy(payload(100, i)), 1U);
      }
      while (subscriber.take()) {
      }
    }
  };
  // The service thread hears of the last one's leave in its own time.
  const auto alone = [&] { return publisher.stats().peers == 1 && subscriber.stats().peers == 1; };
  come_and_go(200);
  ASSERT_TRUE(publisher.flush(patience));
  ASSERT_TRUE(eventually(alone));
  const Holdings before = Holdings::now();
  const auto start = std::chrono::steady_clock::now();
  come_and_go(joins);
  const std::chrono::duration<double, std::micro> span = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(publisher.flush(patience));
  EXPECT_TRUE(eventually(alone));
  expect_no_growth(before);
  EXPECT_EQ(publisher.stats().waiting, 0U);
  EXPECT_EQ(subscriber.stats().broken + publisher.stats().broken, 0U);
  std::cout << joins << " joins and leaves, " << span.count() / static_cast<double>(joins)
            << " us each with a sample\n";
}

TEST(LongLife, a_lane_does_not_grow_with_processes_that_come_and_go) {
  const std::uint64_t joins = asked_for("MEMLANE_TEST_JOINS", sanitized ? 400 : 4'000) / 4;
  Publisher publisher("lane", {.history = 1});
  Subscriber subscriber("lane");
  // Its last port takes its endpoint with it: at every turn it is another process for the others.
  test::Peer peer;
  const auto come_and_go = [&](std::uint64_t times) {
    for (std::uint64_t i = 1; i <= times; ++i) {
      publisher.send_copy(payload(1000, i));
      ASSERT_TRUE(subscriber.take(patience));
      ASSERT_EQ(peer.ask("sub s lane"), "ok");
      ASSERT_TRUE(peer.ask("take s 30000").ends_with(" 1000"));
      ASSERT_EQ(peer.ask("close s"), "ok");
      ASSERT_EQ(peer.ask("pub p lane"), "ok");
      ASSERT_EQ(peer.ask("send p 100 1"), "ok 1");
      ASSERT_EQ(peer.ask("close p"), "ok");
      ASSERT_EQ(subscriber.take(patience)->size(), 100U);
    }
  };
  come_and_go(50);
  ASSERT_TRUE(publisher.flush(patience));
  const auto alone = [&] { return publisher.stats().peers == 1 && subscriber.stats().peers == 1; };
  ASSERT_TRUE(eventually(alone));
  const Holdings before = Holdings::now();
  const std::string others = peer.ask("descriptors");
  come_and_go(joins);
  ASSERT_TRUE(eventually(alone));
  ASSERT_TRUE(publisher.flush(patience));
  expect_no_growth(before);
  EXPECT_TRUE(eventually([&] { return peer.ask("descriptors") == others; }));
}

TEST(LongLife, a_crowd_that_joins_at_the_same_moment_misses_nobody) {
  constexpr std::uint64_t crowd = 6;
  const std::uint64_t pairs = asked_for("MEMLANE_TEST_PAIRS", sanitized ? 720 : 3'600);
  const std::uint64_t rounds = (pairs + crowd * crowd - 1) / (crowd * crowd);
  const std::string meeting = std::string(::getenv("MEMLANE_DIR")) + "-meeting";
  const std::filesystem::path file(meeting);
  std::ofstream(meeting).write(std::string(64, '\0').data(), 64);
  std::uint64_t missed = 0;
  double slowest = 0;
  double sum = 0;
  {
    std::vector<std::unique_ptr<test::ChildProcess>> processes;
    for (std::uint64_t i = 0; i < crowd; ++i) {
      processes.push_back(std::make_unique<test::ChildProcess>(
          "crowd",
          std::vector<std::string>{meeting, std::to_string(crowd), std::to_string(i), std::to_string(rounds)}));
    }
    for (auto& process : processes) {
      // A crowd of a hundred thousand takes longer than a line should.
      std::string line;
      ASSERT_TRUE(eventually(
          [&] {
            try {
              line = process->hear();
            } catch (const std::runtime_error& error) {
              if (std::string(error.what()) == "the child has ended") throw;
            }
            return !line.empty();
          },
          std::chrono::minutes(60)));
      std::istringstream words(line);
      std::uint64_t of_it = 0;
      double longest = 0;
      double average = 0;
      std::string verdict;
      ASSERT_TRUE(words >> verdict >> of_it >> average >> longest) << line;
      EXPECT_EQ(verdict, "ok") << line;
      missed += of_it;
      sum += average;
      slowest = std::max(slowest, longest);
      EXPECT_EQ(process->wait(), 0);
    }
  }
  std::filesystem::remove(file);
  EXPECT_EQ(missed, 0U) << "of " << rounds * crowd * crowd << " pairs";
  std::cout << rounds * crowd * crowd << " pairs, " << missed << " missed; a publisher and a subscriber join " << crowd
            << " and " << crowd << " at once in " << sum / crowd << " us, " << slowest << " us at most\n";
}

}  // namespace
}  // namespace memlane
