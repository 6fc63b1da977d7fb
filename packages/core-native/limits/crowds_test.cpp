// Thousands of lanes, and crowds on one: everything arrives, and what it costs in descriptors is known.
#include <sys/resource.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "patterns.hpp"
#include "support.hpp"

namespace memlane::limits {
namespace {

/// Whether this process may open that many files; what it may, it is given.
bool can_open(std::uint64_t files) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= files;
}

class Crowds : public OfAnyPattern {};
INSTANTIATE_TEST_SUITE_P(Each, Crowds, each_pattern(), name_of);

TEST_P(Crowds, two_thousand_lanes_in_one_process) {
  constexpr std::uint64_t lanes = 2000;
  if (!can_open(10 * lanes)) GTEST_SKIP() << "this process may not open " << 10 * lanes << " files (ulimit -Hn)";
  Peer peer;
  const auto descriptors = [&] { return number(peer, "descriptors"); };
  const auto for_each = [](const auto& act) {
    for (std::uint64_t i = 0; i < lanes; ++i) act(std::to_string(i));
  };
  const auto before = descriptors();
  for_each([&](const std::string& n) { ASSERT_EQ(peer.ask(sender("p" + n, "lane/" + n)), "ok") << n; });
  const auto with_senders = descriptors();
  EXPECT_LE(with_senders - before, 3 * lanes + 10) << "a folder and a bell of two ends for each";
  for_each([&](const std::string& n) { ASSERT_EQ(peer.ask(receiver("s" + n, "lane/" + n)), "ok") << n; });
  const auto with_links = descriptors();
  EXPECT_LE(with_links - with_senders, 5 * lanes + 10) << "the same, and the bell of the other side for each";
  for_each([&](const std::string& n) { ASSERT_EQ(peer.ask("send p" + n + " 100 1"), "ok 1") << n; });
  for_each([&](const std::string& n) { ASSERT_EQ(peer.ask("drain s" + n + " 1"), "ok 1") << n; });
  const auto a_lane = [&](std::uint64_t count) { return static_cast<double>(count - before) / lanes; };
  std::cout << lanes << " lanes: " << a_lane(with_senders) << " descriptors a port, " << a_lane(with_links)
            << " with both ends of a link, " << a_lane(descriptors()) << " with memory on it\n";
  for_each([&](const std::string& n) { ASSERT_EQ(peer.ask("close p" + n), "ok") << n; });
  for_each([&](const std::string& n) { ASSERT_EQ(peer.ask("close s" + n), "ok") << n; });
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
TEST_P(Crowds, a_peer_costs_connections_and_not_one_for_each_lane) {
  constexpr int lanes = 200;
  Peer one;
  Peer other;
  const auto open = [&](int i) {
    const std::string n = std::to_string(i);
    static_cast<void>(answer(one, sender("p" + n, "lane/" + n)));
    static_cast<void>(answer(other, receiver("s" + n, "lane/" + n)));
    ASSERT_EQ(answer(one, "wait-peers p" + n + " 1 30000"), "yes");
  };
  open(0);
  const std::size_t with_one_lane = sockets_of(one.pid()) + sockets_of(other.pid());
  for (int i = 1; i < lanes; ++i) open(i);
  EXPECT_LE(sockets_of(one.pid()) + sockets_of(other.pid()), with_one_lane);
  EXPECT_EQ(number(one, "send p199 100 1"), 1U);
  EXPECT_EQ(answer(other, "take s199 30000"), "1 100");
}

TEST_P(Crowds, sixty_four_senders_to_sixty_four_receivers) {
  constexpr int processes = 4;
  constexpr int each = 16;
  constexpr int all = processes * each;
  constexpr int samples = 3;  // of each sender
  if (!can_open(8192)) GTEST_SKIP() << "a process may not open 8192 files (ulimit -Hn)";
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < processes; ++i) peers.push_back(std::make_unique<Peer>());
  // All at once.
  for (int port = 0; port < each; ++port) {
    for (auto& peer : peers) {
      peer->say(sender("p" + std::to_string(port), "lane") + " join_timeout=30000");
      peer->say(receiver("s" + std::to_string(port), "lane") + " depth=64 join_timeout=30000");
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
  std::size_t sent = 0;
  for (int port = 0; port < each; ++port) {
    for (auto& peer : peers) {
      ASSERT_EQ(number(*peer, "send p" + std::to_string(port) + " 2000 1 " + std::to_string(samples)),
                samples * copies(all));
      sent += samples * copies(all);
    }
  }
  // Whoever gets them, all that was sent is taken, and by nobody more than one of each. A crowd's memory is under way for
  // longer than a take waits that is not to wait.
  std::size_t taken = 0;
  std::map<std::pair<int, const Peer*>, int> taken_by;
  const auto take_what_is_there = [&](int port, Peer& peer) {
    const std::string take = "take s" + std::to_string(port) + " 0";
    for (;;) {
      const std::string line = peer.ask(take);
      if (line == "ok none") return;
      ASSERT_TRUE(line.ends_with(" 2000")) << line;
      ASSERT_LE(++taken_by[std::pair(port, &peer)], samples * all);
      ++taken;
    }
  };
  const auto take_all_round = [&] {
    for (int port = 0; port < each; ++port) {
      for (auto& peer : peers) take_what_is_there(port, *peer);
    }
    return taken >= sent || testing::Test::HasFatalFailure();
  };
  EXPECT_TRUE(test::eventually(take_all_round));
  take_all_round();  // nothing more
  EXPECT_EQ(taken, sent);
  for (auto& peer : peers) EXPECT_EQ(peer->wait(), 0);
}

}  // namespace
}  // namespace memlane::limits
