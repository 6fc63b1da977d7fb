// The limit of open files, of a process and of a whole user: reached while joining, while receiving, at the door, and by what
// is under way to a peer that does not read.
#include <string>
#include <thread>

#include "patterns.hpp"
#include "support.hpp"

namespace memlane::limits {
namespace {

using namespace std::chrono_literals;

class Descriptors : public OfAnyPattern {};
INSTANTIATE_TEST_SUITE_P(Each, Descriptors, each_pattern(), name_of);

TEST_P(Descriptors, too_few_to_join_with_is_an_error_that_leaves_nothing) {
  if (!OrdinaryUser::can_be()) GTEST_SKIP() << "only root can become another user";
  const OrdinaryUser user;
  for (const std::string& port : each_kind("x", "lane")) {
    bool joined = false;
    int refusals = 0;
    // One more each time, until it is enough: the limit is met at each of the descriptors that a join needs.
    for (int room = 0; room < 60 && !joined; ++room) {
      const auto peer = user.peer({"limit-descriptors " + std::to_string(room)});
      const std::string line = peer->ask(port);
      joined = line == "ok";
      if (joined) break;
      ++refusals;
      EXPECT_TRUE(line.starts_with("error descriptor-limit")) << line;
      EXPECT_NE(line.find("ulimit -n"), std::string::npos) << line;
      EXPECT_EQ(peer->wait(), 0);
      EXPECT_TRUE(user.nothing_is_left()) << "with room for " << room;
    }
    EXPECT_TRUE(joined) << port;
    EXPECT_GE(refusals, 5) << port;
  }
}

TEST_P(Descriptors, none_left_at_the_door_keeps_newcomers_waiting_without_spinning) {
  if (!OrdinaryUser::can_be()) GTEST_SKIP() << "only root can become another user";
  const OrdinaryUser user;
  const auto full = user.peer({sender("p", "lane")});
  static_cast<void>(answer(*full, "limit-descriptors 0"));
  const auto newcomer = user.peer();
  const std::uint64_t before = number(*full, "processor-time");
  static_cast<void>(
      answer(*newcomer, receiver("s", "lane") + " join_timeout=500"));  // goes on after that without a link
  EXPECT_EQ(answer(*newcomer, "wait-peers s 1 0"), "no");
  EXPECT_LT(number(*full, "processor-time") - before, 250U) << "of 500 ms that somebody stood at the door";
  // As many as it needs, at one moment: if they came one by one, the door might open when there are too few for a link.
  static_cast<void>(answer(*full, "limit-descriptors 100"));
  EXPECT_EQ(answer(*newcomer, "wait-peers s 1 20000"), "yes");
  EXPECT_EQ(number(*full, "send p 10 1"), 1U);
  EXPECT_EQ(answer(*newcomer, "take s 30000"), "1 10");
}

// The kernel counts the handles that are under way of a whole user, and refuses more than the limit of open files.
TEST_P(Descriptors, under_way_to_a_frozen_peer_do_not_starve_others_of_the_same_user) {
  if (!OrdinaryUser::can_be()) GTEST_SKIP() << "only root can become another user";
  const OrdinaryUser user;
  const auto frozen = user.peer();
  constexpr int lanes = 120;
  for (int i = 0; i < lanes; ++i) {
    const std::string n = std::to_string(i);
    static_cast<void>(answer(*frozen, sender("p" + n, "lane/" + n)));
  }
  // These would like to hand two handles for each lane to the frozen one, 240 in all.
  const auto eager = user.peer();
  const auto other = user.peer({receiver("s", "healthy")});
  static_cast<void>(answer(*eager, sender("p", "healthy")));
  frozen->freeze();
  for (int i = 0; i < lanes; ++i) {
    const std::string n = std::to_string(i);
    static_cast<void>(answer(*eager, receiver("s" + n, "lane/" + n) + " join_timeout=0"));
  }
  // With limits that leave room for what may be under way to one peer, and for little more.
  static_cast<void>(answer(*other, "limit-descriptors 120"));
  const auto third = user.peer({"limit-descriptors 120", sender("p", "healthy"), receiver("s", "healthy/too")});
  EXPECT_EQ(answer(*third, "wait-peers p 1 10000"), "yes");
  for (int i = 0; i < 5; ++i) {
    // Each time memory of another size: handles pass between those that are healthy.
    const std::string size = std::to_string(10'000 << i);
    EXPECT_EQ(number(*third, "send p " + size + " 1"), 1U);
    EXPECT_TRUE(answer(*other, "take s 10000").ends_with(" " + size));
  }
  // The process that is linked with the frozen one goes on, too, with everybody else.
  EXPECT_EQ(number(*eager, "send p 500000 1"), 1U);
  EXPECT_TRUE(answer(*other, "take s 10000").ends_with(" 500000"));
  frozen->thaw();
  for (int i = 0; i < lanes; ++i) {
    EXPECT_EQ(answer(*eager, "wait-peers s" + std::to_string(i) + " 1 30000"), "yes") << "lane " << i;
  }
}

TEST_P(Descriptors, a_limit_of_the_file_size_is_an_error_and_no_signal) {
  for (const std::string bytes : {"0", "100", "1000"}) {
    Peer peer({"limit-files " + bytes});
    const std::string line = peer.ask(sender("p", "lane"));
    if (line == "ok") {
      EXPECT_EQ(bytes, "1000") << "an announcement has 216 bytes";
      const std::string loan = peer.ask("loan p l 100000 1");
      EXPECT_TRUE(loan.starts_with("error out-of-memory")) << loan;
      EXPECT_NE(loan.find("ulimit -f"), std::string::npos) << loan;
    } else {
      EXPECT_NE(line.find("ulimit -f"), std::string::npos) << line;
    }
    EXPECT_EQ(peer.wait(), 0);
  }
  // Lowered while it runs: counters that cannot be shown any more harm nobody.
  Peer peer({sender("p", "lane"), receiver("s", "lane")});
  EXPECT_EQ(number(peer, "send p 100 1"), 1U);
  static_cast<void>(answer(peer, "limit-files 0"));
  std::this_thread::sleep_for(150ms);  // counters are shown ten times a second at most
  EXPECT_EQ(number(peer, "send p 100 2"), 1U);
  EXPECT_EQ(answer(peer, "drain s 2"), "2");
  EXPECT_EQ(peer.wait(), 0);
}

}  // namespace
}  // namespace memlane::limits
