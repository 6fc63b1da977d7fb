// Thousands of lanes, and crowds on one: everything arrives, and what it costs in descriptors is known.
#include <sys/resource.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "memlane/memlane.hpp"
#include "support.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"

namespace memlane::limits {
namespace {

/// Whether this process may open that many files; what it may, it is given.
bool can_open(std::uint64_t files) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= files;
}

std::size_t descriptors() {
  return test::open_descriptors().size();
}

TEST(Crowds, two_thousand_lanes_in_one_process) {
  constexpr std::size_t lanes = 2000;
  if (!can_open(10 * lanes)) GTEST_SKIP() << "this process may not open " << 10 * lanes << " files (ulimit -Hn)";
  const auto before = descriptors();
  {
    std::vector<Publisher> publishers;
    for (std::size_t i = 0; i < lanes; ++i) publishers.emplace_back("lane/" + std::to_string(i));
    const auto with_publishers = descriptors();
    EXPECT_LE(with_publishers - before, 3 * lanes + 10) << "a folder and a bell of two ends for each";
    std::vector<Subscriber> subscribers;
    for (std::size_t i = 0; i < lanes; ++i) subscribers.emplace_back("lane/" + std::to_string(i));
    const auto with_links = descriptors();
    EXPECT_LE(with_links - with_publishers, 5 * lanes + 10) << "the same, and the bell of the other side for each";
    for (std::size_t i = 0; i < lanes; ++i) ASSERT_EQ(publishers[i].send_copy(test::payload(100, i)), 1U) << i;
    for (std::size_t i = 0; i < lanes; ++i) {
      const auto sample = subscribers[i].take(test::patience);
      ASSERT_TRUE(sample) << i;
      ASSERT_TRUE(test::is_payload(sample->bytes(), i)) << i;
    }
    std::cout << lanes << " lanes: " << static_cast<double>(with_publishers - before) / lanes << " descriptors a port, "
              << static_cast<double>(with_links - before) / lanes << " with both ends of a link, "
              << static_cast<double>(descriptors() - before) / lanes << " with memory on it\n";
  }
  EXPECT_TRUE(test::eventually([&] { return descriptors() == before; })) << "all are given back";
}

/// The sockets that a process holds: its door, and its connections.
std::size_t sockets_of(pid_t process) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd")) {
    std::error_code closed_meanwhile;
    if (std::filesystem::read_symlink(entry, closed_meanwhile).string().starts_with("socket:")) ++count;
  }
  return count;
}

// Python and many shells leave the limit of open files at 1024: a connection for each lane would be too many soon.
TEST(Crowds, a_peer_costs_connections_and_not_one_for_each_lane) {
  constexpr int lanes = 200;
  Peer one;
  Peer other;
  const auto open = [&](int i) {
    const std::string n = std::to_string(i);
    static_cast<void>(answer(one, "pub p" + n + " lane/" + n));
    static_cast<void>(answer(other, "sub s" + n + " lane/" + n));
    ASSERT_EQ(answer(one, "wait-peers p" + n + " 1 30000"), "yes");
  };
  open(0);
  const std::size_t with_one_lane = sockets_of(one.pid()) + sockets_of(other.pid());
  for (int i = 1; i < lanes; ++i) open(i);
  EXPECT_LE(sockets_of(one.pid()) + sockets_of(other.pid()), with_one_lane);
  EXPECT_EQ(number(one, "send p199 100 1"), 1U);
  EXPECT_EQ(answer(other, "take s199 30000"), "1 100");
}

TEST(Crowds, sixty_four_publishers_to_sixty_four_subscribers) {
  constexpr int processes = 4;
  constexpr int each = 16;
  constexpr int all = processes * each;
  if (!can_open(8192)) GTEST_SKIP() << "a process may not open 8192 files (ulimit -Hn)";
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < processes; ++i) peers.push_back(std::make_unique<Peer>());
  // All at once.
  for (int port = 0; port < each; ++port) {
    for (auto& peer : peers) {
      peer->say("pub p" + std::to_string(port) + " lane join_timeout=30000");
      peer->say("sub s" + std::to_string(port) + " lane depth=64 join_timeout=30000");
    }
  }
  for (int i = 0; i < 2 * each; ++i) {
    for (auto& peer : peers) ASSERT_EQ(peer->hear(), "ok");
  }
  const std::string everybody = " " + std::to_string(all) + " 30000";
  for (int port = 0; port < each; ++port) {
    for (auto& peer : peers) {
      ASSERT_EQ(answer(*peer, "wait-peers p" + std::to_string(port) + everybody), "yes");
      ASSERT_EQ(answer(*peer, "wait-peers s" + std::to_string(port) + everybody), "yes");
    }
  }
  for (int port = 0; port < each; ++port) {
    for (auto& peer : peers) ASSERT_EQ(number(*peer, "send p" + std::to_string(port) + " 2000 1 3"), 3U * all);
  }
  for (int port = 0; port < each; ++port) {
    for (auto& peer : peers) {
      const std::string subscriber = "s" + std::to_string(port);
      for (int i = 0; i < 3 * all; ++i) peer->say("take " + subscriber + " 30000");
      for (int i = 0; i < 3 * all; ++i) ASSERT_TRUE(peer->hear().ends_with(" 2000"));
      ASSERT_EQ(peer->ask("take " + subscriber + " 0"), "ok none");
    }
  }
  for (auto& peer : peers) EXPECT_EQ(peer->wait(), 0);
}

}  // namespace
}  // namespace memlane::limits
