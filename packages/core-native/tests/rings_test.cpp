// The two rings of a link: what goes in comes out, once, in order; what a peer writes there is not believed.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "support/child_process.hpp"
#include "support/eventually.hpp"
#include "support/ring_pair.hpp"
#include "support/test_access.hpp"

namespace memlane {
namespace {

using detail::Corruption;
using detail::Descriptor;
using detail::SenderRing;
using test::is_whole;
using test::Mappings;
using test::numbered;
using test::RingPair;

const auto no_yield = [](std::uint64_t) { FAIL() << "nothing was taken back"; };

/// Takes the next descriptor, or nothing.
std::optional<detail::ReceiverRing::Look> take(RingPair& pair) {
  for (;;) {
    const auto look =
        pair.receiver.look([&](std::uint64_t position) { EXPECT_TRUE(pair.receiver.give_back(position, 0, true)); });
    if (!look) return std::nullopt;
    if (pair.receiver.take()) return look;
    EXPECT_TRUE(pair.receiver.give_back(look->position, 0, true));
  }
}

std::vector<SenderRing::Return> collect(RingPair& pair) {
  std::vector<SenderRing::Return> returns;
  pair.sender.collect_returns([&](const SenderRing::Return& each) { returns.push_back(each); });
  return returns;
}

TEST(Rings, are_empty_at_first) {
  RingPair pair(4, false);
  EXPECT_FALSE(pair.receiver.anything_waits());
  EXPECT_EQ(pair.receiver.waiting(), 0U);
  EXPECT_EQ(pair.sender.waiting(), 0U);
  EXPECT_TRUE(pair.sender.has_room(1));
  EXPECT_TRUE(collect(pair).empty());
  EXPECT_FALSE(pair.receiver.look(no_yield));
}

TEST(Rings, hand_over_in_order_through_many_rounds) {
  for (const std::uint32_t depth : {1U, 2U, 3U, 7U, 8U, 100U}) {
    SCOPED_TRACE(depth);
    RingPair pair(depth, false);
    std::uint64_t sent = 0;
    std::uint64_t taken = 0;
    for (int round = 0; round < 50; ++round) {
      while (pair.sender.has_room(depth)) pair.sender.push(numbered(++sent));
      EXPECT_EQ(pair.sender.waiting(), depth);
      EXPECT_EQ(pair.receiver.waiting(), depth);
      // One is left every other round, so that the rounds do not always begin at the same place.
      for (std::uint64_t keep = static_cast<std::uint64_t>(round) % 2; pair.receiver.waiting() > keep;) {
        const auto look = take(pair);
        ASSERT_TRUE(look);
        EXPECT_EQ(look->position, taken);
        EXPECT_EQ(look->descriptor.sequence, ++taken);
        EXPECT_TRUE(is_whole(look->descriptor));
        EXPECT_TRUE(pair.receiver.give_back(look->position, look->descriptor.ticket, false));
      }
      for (const auto& each : collect(pair)) EXPECT_EQ(each.ticket, (each.position + 1) % 1000);
    }
  }
}

TEST(Rings, a_look_takes_nothing) {
  RingPair pair(2, true);
  pair.sender.push(numbered(1));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pair.receiver.look(no_yield)->descriptor.sequence, 1U);
  EXPECT_EQ(pair.sender.waiting(), 1U);
  EXPECT_TRUE(pair.receiver.take());
  EXPECT_EQ(pair.sender.waiting(), 0U);
}

TEST(Rings, returns_that_do_not_fit_are_refused_until_some_are_collected) {
  RingPair pair(4, false);
  const std::uint32_t room = detail::returns_capacity(4);
  for (std::uint32_t i = 0; i < room; ++i) EXPECT_TRUE(pair.receiver.give_back(i, i, false));
  EXPECT_FALSE(pair.receiver.give_back(room, room, false));
  EXPECT_EQ(collect(pair).size(), room);
  EXPECT_TRUE(pair.receiver.give_back(room, room, true));
  const auto last = collect(pair);
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].position, room);
  EXPECT_EQ(last[0].ticket, room);
  EXPECT_TRUE(last[0].yielded);
}

TEST(Rings, what_was_taken_back_is_not_delivered) {
  RingPair pair(3, true);
  for (std::uint64_t i = 1; i <= 3; ++i) pair.sender.push(numbered(i));
  std::uint64_t position = 99;
  EXPECT_EQ(pair.sender.take_back(position), SenderRing::TakeBack::taken);
  EXPECT_EQ(position, 0U);
  pair.sender.push(numbered(4));
  EXPECT_EQ(pair.sender.waiting(), 3U);
  EXPECT_EQ(pair.receiver.waiting(), 3U);
  for (const std::uint64_t expected : {2U, 3U, 4U}) EXPECT_EQ(take(pair)->descriptor.sequence, expected);
  EXPECT_FALSE(take(pair));
  EXPECT_EQ(pair.sender.take_back(position), SenderRing::TakeBack::nothing);
}

TEST(Rings, everything_that_waits_can_be_taken_back) {
  RingPair pair(4, true);
  std::uint64_t position = 0;
  for (int round = 0; round < 20; ++round) {
    for (std::uint64_t i = 1; i <= 4; ++i) pair.sender.push(numbered(i));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(pair.sender.take_back(position), SenderRing::TakeBack::taken);
    EXPECT_EQ(pair.sender.take_back(position), SenderRing::TakeBack::nothing);
    EXPECT_EQ(pair.sender.waiting(), 0U);
    if (round % 3 == 0) {
      EXPECT_FALSE(take(pair)) << "skips to the floor";
    }
  }
  EXPECT_FALSE(take(pair));
}

TEST(Rings, a_receiver_that_looked_before_the_take_back_yields) {
  RingPair pair(2, true);
  pair.sender.push(numbered(1));
  pair.sender.push(numbered(2));
  const auto look = pair.receiver.look(no_yield);
  ASSERT_TRUE(look);
  std::uint64_t position = 0;
  EXPECT_EQ(pair.sender.take_back(position), SenderRing::TakeBack::taken);
  EXPECT_FALSE(pair.receiver.still_waits(look->position));
  EXPECT_FALSE(pair.receiver.take()) << "the sender was first";
  EXPECT_TRUE(pair.receiver.give_back(look->position, 0, true));
  EXPECT_EQ(take(pair)->descriptor.sequence, 2U);
}

// ---- a peer that writes nonsense ----

TEST(Rings, a_tail_that_goes_back_or_runs_away_is_corrupt) {
  for (const std::uint64_t tail : {std::uint64_t{0}, std::uint64_t{6}, ~std::uint64_t{0}, std::uint64_t{1} << 63U}) {
    RingPair pair(3, false);
    pair.sender.push(numbered(1));
    EXPECT_TRUE(take(pair));
    reinterpret_cast<detail::SenderHalf*>(pair.sender_half.mapping.data())->tail = tail;
    EXPECT_THROW(static_cast<void>(take(pair)), Corruption) << tail;
  }
}

TEST(Rings, a_floor_that_goes_back_or_passes_the_tail_is_corrupt) {
  for (const std::uint64_t floor : {std::uint64_t{0}, std::uint64_t{4}, ~std::uint64_t{0}}) {
    RingPair pair(3, true);
    std::uint64_t position = 0;
    for (std::uint64_t i = 1; i <= 3; ++i) pair.sender.push(numbered(i));
    EXPECT_EQ(pair.sender.take_back(position), SenderRing::TakeBack::taken);
    EXPECT_TRUE(take(pair));
    reinterpret_cast<detail::SenderHalf*>(pair.sender_half.mapping.data())->floor = floor;
    EXPECT_THROW(static_cast<void>(take(pair)), Corruption) << floor;
  }
}

TEST(Rings, a_sender_that_takes_back_whatever_is_looked_at_is_corrupt) {
  RingPair pair(4, true);
  auto& half = *reinterpret_cast<detail::SenderHalf*>(pair.sender_half.mapping.data());
  half.tail = 2;
  half.floor = 1;
  std::uint64_t skips = 0;
  const auto lie = [&](std::uint64_t position) {
    if (++skips > 1'000'000) throw std::runtime_error("it would follow for ever");
    half.tail = position + 3;
    half.floor = position + 2;
  };
  EXPECT_THROW(static_cast<void>(pair.receiver.look(lie)), Corruption);
}

TEST(Rings, a_head_that_goes_back_or_passes_the_tail_is_corrupt) {
  for (const std::uint64_t head : {std::uint64_t{0}, std::uint64_t{3}, ~std::uint64_t{0}}) {
    RingPair pair(2, true);
    pair.sender.push(numbered(1));
    pair.sender.push(numbered(2));
    EXPECT_TRUE(take(pair));
    EXPECT_EQ(pair.sender.waiting(), 1U);
    reinterpret_cast<detail::ReceiverHalf*>(pair.receiver_half.mapping.data())->head = head;
    EXPECT_THROW(static_cast<void>(pair.sender.waiting()), Corruption) << head;
    std::uint64_t position = 0;
    EXPECT_THROW(static_cast<void>(pair.sender.take_back(position)), Corruption) << head;
  }
}

TEST(Rings, returns_that_cannot_be_are_corrupt) {
  auto* const half_of =
      +[](RingPair& pair) { return reinterpret_cast<detail::ReceiverHalf*>(pair.receiver_half.mapping.data()); };
  for (const std::uint64_t tail : {std::uint64_t{129}, ~std::uint64_t{0}}) {
    RingPair pair(2, false);
    half_of(pair)->returns_tail = tail;
    EXPECT_THROW(static_cast<void>(collect(pair)), Corruption) << tail;
  }
  RingPair pair(2, false);
  EXPECT_TRUE(pair.receiver.give_back(0, 7, false));
  reinterpret_cast<detail::ReturnEntry*>(half_of(pair) + 1)->ticket = std::uint64_t{1} << 40U;
  EXPECT_THROW(static_cast<void>(collect(pair)), Corruption);
  RingPair other(2, false);
  const std::uint32_t room = detail::returns_capacity(2);
  for (std::uint32_t i = 0; i < room; ++i) EXPECT_TRUE(other.receiver.give_back(i, i, false));
  reinterpret_cast<detail::SenderHalf*>(other.sender_half.mapping.data())->returns_head = room + 1;
  EXPECT_THROW(static_cast<void>(other.receiver.give_back(room, 1, false)), Corruption);
}

// ---- two threads ----

/// One thread sends as fast as it can and takes back what does not fit, the other takes. Every sample must be delivered or
/// dropped, once, in order, whole; and every ticket must come back. `start`: the first position.
void stress(Mappings mappings, std::uint32_t depth, std::uint64_t samples, std::uint64_t start = 0) {
  RingPair pair(depth, true, mappings);
  detail::TestAccess::start_rings_at(pair.sender, pair.receiver, start);
  std::atomic<bool> done{false};
  std::vector<std::uint64_t> delivered;
  std::atomic<bool> torn{false};
  std::thread receiver([&] {
    // Returns are held back here while their ring is full.
    std::vector<std::pair<std::uint64_t, bool>> pending;
    const auto flush = [&] {
      while (!pending.empty() && pair.receiver.give_back(pending.back().first, 7, pending.back().second))
        pending.pop_back();
    };
    for (;;) {
      const bool last = done.load();
      while (const auto look =
                 pair.receiver.look([&](std::uint64_t position) { pending.emplace_back(position, true); })) {
        if (pair.receiver.take()) {
          if (!is_whole(look->descriptor) || look->descriptor.sequence != look->position - start + 1) torn = true;
          delivered.push_back(look->descriptor.sequence);
          pending.emplace_back(look->position, false);
        } else {
          pending.emplace_back(look->position, true);
        }
        flush();
      }
      flush();
      if (last && pending.empty()) return;
    }
  });

  std::set<std::uint64_t> out;      // positions sent and not back
  std::set<std::uint64_t> doubted;  // of these, taken back in doubt
  std::vector<std::uint64_t> dropped;
  std::string complaint;
  const auto accept = [&] {
    pair.sender.collect_returns([&](const SenderRing::Return& each) {
      doubted.erase(each.position);
      if (out.erase(each.position) == 0) {
        if (!each.yielded) complaint = "returned twice, or returned and taken back";
      } else if (each.yielded) {
        dropped.push_back(each.position - start + 1);
      }
    });
  };
  for (std::uint64_t i = 1; i <= samples; ++i) {
    accept();
    if (!pair.sender.has_room(depth)) {
      std::uint64_t position = 0;
      switch (pair.sender.take_back(position)) {
        case SenderRing::TakeBack::taken:
          dropped.push_back(position - start + 1);
          if (out.erase(position) == 0) complaint = "took back what was not out";
          break;
        case SenderRing::TakeBack::in_doubt: doubted.insert(position); break;
        case SenderRing::TakeBack::nothing: break;
      }
    }
    out.insert(pair.sender.tail());
    pair.sender.push(numbered(i));
  }
  done = true;
  EXPECT_TRUE(test::eventually([&] {
    accept();
    return out.empty();
  })) << out.size()
      << " never came back";
  receiver.join();
  EXPECT_EQ(complaint, "");
  EXPECT_FALSE(torn);
  EXPECT_TRUE(doubted.empty());
  EXPECT_TRUE(std::is_sorted(delivered.begin(), delivered.end())) << "order";
  std::vector<std::uint64_t> all = delivered;
  all.insert(all.end(), dropped.begin(), dropped.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all.size(), samples);
  for (std::uint64_t i = 1; i <= samples && i <= all.size(); ++i) {
    ASSERT_EQ(all[i - 1], i) << "a sample is missing, or was both delivered and dropped";
  }
}

TEST(Rings, each_sample_is_delivered_or_dropped_once_under_two_threads) {
  for (const std::uint32_t depth : {1U, 2U, 3U, 16U}) {
    SCOPED_TRACE(depth);
    stress(Mappings::two, depth, 200'000);
  }
}

TEST(Rings, the_same_across_the_end_of_positions) {
  constexpr std::uint64_t samples = 50'000;
  for (const std::uint32_t depth : {1U, 3U}) {
    SCOPED_TRACE(depth);
    stress(Mappings::two, depth, samples, std::uint64_t{0} - samples / 2);
  }
}

TEST(Rings, the_same_over_one_mapping) {
  for (const std::uint32_t depth : {1U, 3U}) {
    SCOPED_TRACE(depth);
    stress(Mappings::one, depth, 50'000);
  }
}

/// How much must have come together before a thread that had to wait goes on. If one were always enough, a machine that is
/// busy otherwise would switch tasks for each sample. Sometimes it is, since that is where full and empty meet.
class Turns {
 public:
  template <class Available>
  void wait(std::uint64_t most, Available&& available) {
    const std::uint64_t wanted = ++waits_ % 8 == 0 ? 1 : most;
    while (available() < wanted) std::this_thread::yield();
  }

 private:
  unsigned waits_ = 0;
};

TEST(Rings, nothing_is_lost_or_changed_without_take_back) {
  constexpr std::uint32_t depth = 4096;  // deep, so that the threads seldom wait for each other
  constexpr std::uint64_t samples = 200'000;
  RingPair pair(depth, false, Mappings::one);
  std::thread receiver([&] {
    Turns turns;
    for (std::uint64_t next = 1; next <= samples;) {
      const auto look = pair.receiver.look([](std::uint64_t) {});
      if (!look) {
        turns.wait(std::min<std::uint64_t>(depth / 2, samples - next + 1), [&] { return pair.receiver.waiting(); });
        continue;
      }
      ASSERT_TRUE(pair.receiver.take());
      ASSERT_EQ(look->descriptor.sequence, next++);
      ASSERT_TRUE(is_whole(look->descriptor));
      while (!pair.receiver.give_back(look->position, look->descriptor.ticket, false)) std::this_thread::yield();
    }
  });
  std::uint64_t back = 0;
  const auto accept = [&] {
    pair.sender.collect_returns([&](const SenderRing::Return& each) { EXPECT_EQ(each.position, back++); });
  };
  Turns turns;
  for (std::uint64_t i = 1; i <= samples; ++i) {
    if (!pair.sender.has_room(depth)) {
      turns.wait(depth / 2, [&] {
        accept();  // the receiver may be waiting for room for its returns
        return depth - pair.sender.waiting();
      });
    }
    pair.sender.push(numbered(i));
  }
  EXPECT_TRUE(test::eventually([&] {
    accept();
    return back == samples;
  })) << back;
  receiver.join();
}

}  // namespace
}  // namespace memlane
