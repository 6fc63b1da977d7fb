// Ports of different processes: they meet, exchange, come and go in any order, and are killed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/child_process.hpp"
#include "support/emulation.hpp"
#include "support/eventually.hpp"
#include "support/expect_error.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::is_payload;
using test::patience;
using test::payload;
using test::Peer;

TEST(Processes, exchange_both_ways) {
  Publisher publisher("to/peer");
  Peer peer({"sub s to/peer", "pub p from/peer label=the-peer"});
  Subscriber subscriber("from/peer");
  for (std::uint64_t i = 1; i <= 15; ++i) EXPECT_EQ(publisher.send_copy(payload(i * 1000, i)), 1U);
  EXPECT_EQ(peer.ask("drain s 11"), "ok 11");
  EXPECT_EQ(peer.ask("drain s 4"), "ok 15");
  EXPECT_EQ(peer.ask("send p 5000 1 10"), "ok 10");
  for (std::uint64_t i = 1; i <= 10; ++i) {
    const auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->sequence(), i);
    EXPECT_TRUE(is_payload(sample->bytes(), i));
    EXPECT_EQ(sample->sender().label, "the-peer");
    EXPECT_EQ(sample->sender().pid, peer.pid());
  }
  EXPECT_EQ(peer.wait(), 0);
}

TEST(Processes, many_publishers_and_many_subscribers) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 3; ++i)
    peers.push_back(std::make_unique<Peer>(std::initializer_list<std::string>{"pub p lane", "sub s lane depth=100"}));
  for (auto& peer : peers) EXPECT_EQ(peer->ask("wait-peers p 3 30000"), "ok yes");
  for (auto& peer : peers) EXPECT_EQ(peer->ask("send p 3000 1 20"), "ok 60");
  for (auto& peer : peers) {
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(peer->ask("take s 30000").starts_with("ok "));
    EXPECT_EQ(peer->ask("take s 0"), "ok none");
  }
  for (auto& peer : peers) EXPECT_EQ(peer->ask("flush p 30000"), "ok yes");
}

TEST(Processes, a_full_queue_names_the_process_that_is_slow) {
  Publisher publisher("lane", {.send_timeout = 20ms});
  Peer peer({"sub s lane depth=1 label=slow-viewer"});
  publisher.send_copy(payload(1, 1));
  EXPECT_ERROR(timeout, publisher.send_copy(payload(1, 2)),
               "process " + std::to_string(peer.pid()) + " (\"slow-viewer\")");
  EXPECT_EQ(peer.ask("take s 30000"), "ok 1 1");
  EXPECT_EQ(publisher.send_copy(payload(1, 2)), 1U);
}

TEST(Processes, a_blocked_sender_is_woken_by_a_take_in_another_process) {
  Publisher publisher("lane");
  Peer peer({"sub s lane depth=2"});
  peer.say("drain s 500");
  for (std::uint64_t i = 1; i <= 500; ++i) publisher.send_copy(payload(100, i));
  EXPECT_EQ(peer.hear(), "ok 500");
  EXPECT_TRUE(publisher.flush(patience));
}

// ---- joining ----

TEST(Joining, a_send_after_the_subscribers_constructor_reaches_it) {
  Publisher publisher("lane");
  std::vector<std::unique_ptr<Peer>> peers;
  for (std::size_t i = 1; i <= 12; ++i) {
    peers.push_back(std::make_unique<Peer>());
    ASSERT_EQ(peers.back()->ask("sub s lane"), "ok");
    ASSERT_EQ(publisher.send_copy(payload(1, i)), i);
  }
}

TEST(Joining, of_many_that_come_at_the_same_moment_none_misses_another) {
  constexpr std::size_t count = 6;
  std::vector<std::unique_ptr<Peer>> peers;
  for (std::size_t i = 0; i < count; ++i) peers.push_back(std::make_unique<Peer>());
  std::size_t missed = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string lane = "lane/" + std::to_string(round);
    // Half of them the one way round, half the other.
    for (std::size_t i = 0; i < count; ++i) {
      peers[i]->say((i % 2 == 0 ? "pub p " : "sub s ") + lane);
      peers[i]->say((i % 2 == 0 ? "sub s " : "pub p ") + lane);
    }
    for (auto& peer : peers) {
      ASSERT_EQ(peer->hear(), "ok");
      ASSERT_EQ(peer->hear(), "ok");
    }
    for (auto& peer : peers) {
      const std::string answer = peer->ask("send p 10 1");
      if (answer != "ok " + std::to_string(count)) ++missed;
    }
    for (auto& peer : peers) {
      for (std::size_t i = 0; i < count; ++i)
        EXPECT_TRUE(peer->ask("take s 30000").starts_with("ok 1 ")) << "round " << round;
    }
    // The rounds differ in who still knows whom: sometimes all leave first, sometimes the ports are replaced.
    if (round % 3 == 0) {
      for (auto& peer : peers) {
        peer->ask("close p");
        peer->ask("close s");
      }
    }
  }
  EXPECT_EQ(missed, 0U) << "of " << 40 * count << " sends, so many did not reach everybody";
}

TEST(Joining, while_others_send_loses_nothing_and_starts_somewhere) {
  Publisher publisher("lane");
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    while (!stop) publisher.send_copy(payload(100, 1));
  });
  Peer peer;
  for (int round = 0; round < 50; ++round) {
    ASSERT_EQ(peer.ask("sub s lane depth=64 overflow=block"), "ok");
    std::uint64_t last = 0;
    for (int i = 0; i < 20; ++i) {
      const std::string answer = peer.ask("take s 30000");
      ASSERT_TRUE(answer.starts_with("ok ")) << answer;
      const std::uint64_t sequence = std::stoull(answer.substr(3));
      if (last != 0) {
        ASSERT_EQ(sequence, last + 1);
      }
      last = sequence;
    }
    ASSERT_EQ(peer.ask("close s"), "ok");
  }
  stop = true;
  sender.join();
}

// ---- leaving ----

TEST(Leaving, who_sends_and_exits_at_once_loses_nothing) {
  Subscriber subscriber("lane", {.depth = 64});
  for (int round = 0; round < 10; ++round) {
    Peer peer({"pub p lane"});
    peer.say("send p 200000 1 20");
    peer.say("exit");
    EXPECT_EQ(peer.hear(), "ok 20");
    EXPECT_EQ(peer.wait(), 0);
    for (std::uint64_t i = 1; i <= 20; ++i) {
      const auto sample = subscriber.take(patience);
      ASSERT_TRUE(sample);
      EXPECT_EQ(sample->sequence(), i);
      EXPECT_TRUE(is_payload(sample->bytes(), i));
    }
  }
  EXPECT_TRUE(eventually([&] { return subscriber.stats().peers == 0; }));
}

TEST(Leaving, who_is_killed_after_sending_loses_nothing_either) {
  Subscriber subscriber("lane", {.depth = 64});
  for (int round = 0; round < 10; ++round) {
    Peer peer({"pub p lane"});
    EXPECT_EQ(peer.ask("send p 200000 1 20"), "ok 20");
    peer.kill();
    for (std::uint64_t i = 1; i <= 20; ++i) {
      const auto sample = subscriber.take(patience);
      ASSERT_TRUE(sample);
      EXPECT_TRUE(is_payload(sample->bytes(), i));
    }
  }
  EXPECT_TRUE(eventually([&] { return subscriber.idle(); }));
  EXPECT_EQ(subscriber.stats().broken, 0U);
}

TEST(Leaving, a_process_that_ends_with_open_ports_leaves_no_name) {
  Peer peer({"pub p lane", "sub s lane", "pub q another/lane"});
  peer.say("exit");
  EXPECT_EQ(peer.wait(), 0);
  EXPECT_TRUE(test::names_in_lane_directory().empty());
}

// ---- death ----

TEST(Death, of_a_subscriber_that_holds_samples_gives_the_memory_back) {
  Publisher publisher("lane");
  Subscriber other("lane", {.depth = 64});
  Peer peer({"sub s lane depth=64"});
  for (std::uint64_t i = 1; i <= 10; ++i) publisher.send_copy(payload(100'000, i));
  EXPECT_EQ(peer.ask("take s 30000 one"), "ok 1 100000");
  EXPECT_EQ(peer.ask("take s 30000 two"), "ok 2 100000");
  while (other.take()) {
  }
  EXPECT_EQ(publisher.stats().waiting, 10U);
  const auto bytes = publisher.stats().bytes;
  peer.kill();
  EXPECT_TRUE(eventually([&] { return publisher.stats().waiting == 0; }));
  EXPECT_EQ(publisher.stats().peers, 1U);
  EXPECT_TRUE(publisher.flush(0ms));
  std::vector<Loan> loans;
  for (int i = 0; i < 10; ++i) loans.push_back(publisher.loan(100'000));
  EXPECT_EQ(publisher.stats().bytes, bytes) << "the same memory, lent again";
}

TEST(Death, of_a_full_subscriber_lets_a_blocked_sender_go_on) {
  Publisher publisher("lane");
  Subscriber other("lane");
  Peer peer({"sub s lane depth=1"});
  publisher.send_copy(payload(1, 1));
  std::thread sender([&] { EXPECT_EQ(publisher.send_copy(payload(1, 2)), 1U); });
  std::this_thread::sleep_for(5ms);  // it probably waits by then; it need not
  peer.kill();
  sender.join();
  EXPECT_EQ(other.take(patience)->sequence(), 1U);
  EXPECT_EQ(other.take(patience)->sequence(), 2U);
}

TEST(Death, of_a_publisher_with_loans_leaves_what_it_sent_and_nothing_else) {
  Subscriber subscriber("lane", {.depth = 64});
  Peer peer({"pub p lane history=5", "loan p unsent 500000 1"});
  Peer other({"pub p lane"});
  EXPECT_EQ(peer.ask("send p 100000 1 5"), "ok 5");
  const auto held = subscriber.take(patience);
  peer.kill();
  EXPECT_TRUE(eventually([&] { return subscriber.stats().peers == 1; }));
  EXPECT_TRUE(is_payload(held->bytes(), 1)) << "the memory stays for whoever holds it";
  for (std::uint64_t i = 2; i <= 5; ++i) EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), i));
  EXPECT_FALSE(subscriber.take(10ms));
  EXPECT_EQ(other.ask("send p 10 1"), "ok 1");
  EXPECT_TRUE(subscriber.take(patience));
}

TEST(Death, wakes_whoever_waits_for_the_last_publisher) {
  Subscriber subscriber("lane");
  Peer peer({"pub p lane"});
  std::thread waiting([&] {
    for (const Sample& sample : subscriber.samples({.until_idle = true})) ADD_FAILURE() << sample.sequence();
  });
  std::this_thread::sleep_for(5ms);
  peer.kill();
  waiting.join();
}

TEST(Death, closes_connections_before_memory) {
  // Descriptors go from the highest number down, and memory takes time by the page.
  if (::sysconf(_SC_OPEN_MAX) < 1024) GTEST_SKIP() << "there are too few descriptors to have a choice of numbers";
  const auto before = test::open_descriptors();
  Publisher publisher("lane");
  const auto loan = publisher.loan(100'000);
  Peer peer({"sub s lane", "pub p back"});
  Subscriber subscriber("back");
  publisher.wait_for_subscribers(1, patience);
  int lowest_socket = std::numeric_limits<int>::max();
  int highest_memory = -1;
  for (const auto& [number, what] : test::open_descriptors()) {
    if (before.contains(number)) continue;
    if (what.starts_with("socket:")) lowest_socket = std::min(lowest_socket, number);
    if (what.starts_with("/memfd:")) highest_memory = std::max(highest_memory, number);
  }
  EXPECT_NE(highest_memory, -1);
  EXPECT_GT(lowest_socket, highest_memory) << test::describe(test::open_descriptors());
}

TEST(Death, at_any_moment_of_a_join_harms_nobody) {
  Publisher publisher("lane", {.history = 2});
  Subscriber subscriber("lane", {.depth = 1000});
  std::mt19937 random(20);  // NOLINT(cert-msc51-cpp): the same moments each time, as far as the machine allows
  std::uint64_t expected = 1;
  publisher.send_copy(payload(1000, expected));  // it has its memory now
  EXPECT_TRUE(subscriber.take(patience));
  const auto descriptors = test::open_descriptors().size();
  for (int round = 0; round < 60; ++round) {
    Peer peer;
    peer.say("pub p lane");
    peer.say("sub s lane");
    peer.say("pub q lane/" + std::to_string(round));
    if (round % 2 == 0) {
      EXPECT_EQ(peer.hear(), "ok");  // so that the kill falls into what follows
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2500));
    peer.kill();
    publisher.send_copy(payload(1000, ++expected));
    const auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample);
    ASSERT_EQ(sample->sequence(), expected);
  }
  EXPECT_TRUE(eventually([&] { return publisher.stats().peers == 1 && publisher.stats().waiting == 0; }));
  // It may be less than before: a handle that had come with a message may just have been about to be closed.
  EXPECT_TRUE(eventually([&] { return test::open_descriptors().size() <= descriptors; }))
      << test::describe(test::open_descriptors());
  EXPECT_EQ(publisher.stats().broken, 0U);
  // A newcomer finds what nobody could hear of: processes that died before they met anybody.
  // A process, since one looks when it makes its door.
  const Peer newcomer{"pub n another"};
  EXPECT_TRUE(eventually([&] { return test::names_in_lane_directory().size() == 2 + 2 * 2 + 3; }))
      << "two doors, two folders with their files, three announcements; there are "
      << test::names_in_lane_directory().size();
}

TEST(Death, of_everybody_leaves_names_that_the_next_one_removes) {
  {
    std::vector<std::unique_ptr<Peer>> peers;
    for (int i = 0; i < 3; ++i)
      peers.push_back(std::make_unique<Peer>(std::initializer_list<std::string>{"pub p lane", "sub s lane"}));
    for (auto& peer : peers) peer->signal(SIGSTOP);  // nobody can clean up after the others
    for (auto& peer : peers) peer->kill();
  }
  EXPECT_FALSE(test::names_in_lane_directory().empty());
  {
    const Subscriber next("another");
  }
  EXPECT_TRUE(test::names_in_lane_directory().empty());
}

// ---- frozen ----

TEST(Frozen, a_publisher_that_joins_a_frozen_subscriber_goes_on_and_is_linked_later) {
  Peer peer({"sub s lane"});
  peer.freeze();
  const auto start = std::chrono::steady_clock::now();
  Publisher publisher("lane", {.history = 1, .join_timeout = 40ms});
  EXPECT_GE(std::chrono::steady_clock::now() - start, 40ms);
  Subscriber awake("lane");
  EXPECT_EQ(publisher.send_copy(payload(10, 1)), 1U) << "the frozen one keeps nobody waiting";
  peer.thaw();
  EXPECT_TRUE(publisher.wait_for_subscribers(2, patience));
  EXPECT_EQ(peer.ask("take s 30000"), "ok 1 10") << "and it gets the history";
}

TEST(Frozen, a_subscriber_that_joins_a_frozen_publisher_goes_on_and_is_linked_later) {
  Peer peer({"pub p lane history=3"});
  EXPECT_EQ(peer.ask("send p 10 1 3"), "ok 0");
  peer.freeze();
  const auto start = std::chrono::steady_clock::now();
  Subscriber subscriber("lane", {.join_timeout = 40ms});
  EXPECT_GE(std::chrono::steady_clock::now() - start, 40ms);
  EXPECT_FALSE(subscriber.take());
  peer.thaw();
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(subscriber.take(patience)->sequence(), i);
}

TEST(Frozen, a_peer_that_is_killed_in_its_sleep_keeps_no_joiner_waiting) {
  Peer peer({"sub s lane"});
  peer.freeze();
  std::thread killer([&] {
    std::this_thread::sleep_for(20ms);
    peer.kill();
  });
  const auto start = std::chrono::steady_clock::now();
  Publisher publisher("lane", {.join_timeout = patience});
  EXPECT_LT(std::chrono::steady_clock::now() - start, patience);
  killer.join();
  EXPECT_EQ(publisher.send_copy(payload(1, 1)), 0U);
}

TEST(Frozen, a_subscriber_holds_up_whoever_it_asked_to_block_and_nobody_else) {
  Publisher publisher("lane", {.send_timeout = 20ms});
  Subscriber subscriber("lane", {.depth = 100});
  Peer lossy({"sub s lane depth=2 overflow=drop-oldest"});
  lossy.freeze();
  for (std::uint64_t i = 1; i <= 50; ++i) EXPECT_EQ(publisher.send_copy(payload(1000, i)), 2U);
  lossy.thaw();
  EXPECT_EQ(lossy.ask("take s 30000"), "ok 49 1000");
  EXPECT_EQ(lossy.ask("take s 30000"), "ok 50 1000");
  EXPECT_EQ(lossy.ask("stats s"), "ok 2 48 0 0 1 0");
  Peer strict({"sub s lane depth=1"});
  strict.freeze();
  publisher.send_copy(payload(1, 51));
  EXPECT_ERROR(timeout, publisher.send_copy(payload(1, 52)), std::to_string(strict.pid()));
  strict.thaw();
  EXPECT_EQ(strict.ask("take s 30000"), "ok 51 1");
  EXPECT_EQ(publisher.send_copy(payload(1, 52)), 3U) << "nothing of it was taken away";
}

// ---- fork and exec ----

TEST(Forks, a_child_is_told_that_inherited_ports_are_not_its_own_and_opens_new_ones) {
  SKIP_UNDER_QEMU("it aborts where the child of a process with threads starts one");
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer does not support new threads in the child of a fork with threads";
#endif
  test::ChildProcess program("forked");
  EXPECT_EQ(program.hear(), "ok");
  EXPECT_EQ(program.wait(), 0);
}

TEST(Forks, a_death_is_heard_though_a_forked_child_lives_on) {
  Publisher publisher("lane");
  Subscriber subscriber("back");
  Peer peer({"sub s lane", "pub p back"});
  EXPECT_EQ(publisher.send_copy(payload(1000, 1)), 1U);
  EXPECT_EQ(peer.ask("take s 30000 held"), "ok 1 1000");
  const std::string answer = peer.ask("fork");
  const pid_t child = std::stoi(answer.substr(3));
  peer.kill();
  EXPECT_TRUE(eventually([&] { return publisher.stats().peers == 0 && publisher.stats().waiting == 0; }));
  EXPECT_TRUE(eventually([&] { return subscriber.idle(); }));
  EXPECT_EQ(::kill(child, 0), 0) << "the child lives";
  ::kill(child, SIGKILL);
}

TEST(Forks, an_exec_inherits_nothing) {
  const std::string without = Peer().ask("descriptors");
  Publisher publisher("lane", {.history = 1});
  Subscriber subscriber("lane");
  Peer peer({"sub s lane"});
  publisher.send_copy(payload(1'000'000, 1));
  const auto sample = subscriber.take(patience);
  EXPECT_EQ(Peer().ask("descriptors"), without);
}

}  // namespace
}  // namespace memlane
