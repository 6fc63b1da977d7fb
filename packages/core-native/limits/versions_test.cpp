// Two versions of the layout side by side in one directory: each works with its own, and each is told of the other.
#include <algorithm>
#include <array>
#include <string>

#include "patterns.hpp"
#include "support.hpp"
#include "support/leak_check.hpp"

namespace memlane::limits {
namespace {

class Versions : public OfAnyPattern {
 protected:
  static std::size_t announcements() {
    const auto names = test::names_in_lane_directory();
    return static_cast<std::size_t>(std::ranges::count_if(names, [](const std::string& name) {
      return std::ranges::any_of(std::array{GetParam().sender, GetParam().receiver}, [&](const std::string& kind) {
        return name.find("/" + kind + "-") != std::string::npos;
      });
    }));
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Versions, each_pattern(), name_of);

TEST_P(Versions, side_by_side_do_not_disturb_each_other) {
  Peer old_sender({sender("p", "lane/old")});
  Peer old_receiver({receiver("s", "lane/old")});
  ChildProcess next_sender("peer_of_next_version");
  ChildProcess next_receiver("peer_of_next_version");
  static_cast<void>(answer(next_sender, sender("p", "lane/next")));
  static_cast<void>(answer(next_receiver, receiver("s", "lane/next")));
  for (auto* const one : {static_cast<ChildProcess*>(&old_receiver), static_cast<ChildProcess*>(&next_receiver)})
    EXPECT_EQ(answer(*one, "wait-peers s 1 30000"), "yes");

  // A lane of the other's is refused in words that say both numbers, and stays what it was.
  const std::string refused_old = old_sender.ask(sender("q", "lane/next"));
  EXPECT_TRUE(refused_old.starts_with("error version-mismatch")) << refused_old;
  EXPECT_NE(refused_old.find("1001"), std::string::npos) << refused_old;
  const std::string refused_next = next_sender.ask(receiver("t", "lane/old"));
  EXPECT_TRUE(refused_next.starts_with("error version-mismatch")) << refused_next;
  EXPECT_NE(refused_next.find("version 1,"), std::string::npos) << refused_next;

  for (const std::string size : {"100", "1000000"}) {
    EXPECT_EQ(number(old_sender, "send p " + size + " 1"), 1U);
    EXPECT_EQ(number(next_sender, "send p " + size + " 1"), 1U);
    EXPECT_TRUE(answer(old_receiver, "take s 30000").ends_with(" " + size));
    EXPECT_TRUE(answer(next_receiver, "take s 30000").ends_with(" " + size));
  }

  // The dead of one version are buried by the other: names are the same in all.
  next_sender.kill();
  next_receiver.kill();
  EXPECT_EQ(old_sender.wait(), 0);
  EXPECT_EQ(old_receiver.wait(), 0);
  Peer last({sender("p", "another/lane")});
  EXPECT_TRUE(test::eventually([] { return announcements() == 1; })) << "its own";
}

}  // namespace
}  // namespace memlane::limits
