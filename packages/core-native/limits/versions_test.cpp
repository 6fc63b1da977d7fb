// Two versions of the layout side by side in one directory: each works with its own, and each is told of the other.
#include <string>

#include "memlane/memlane.hpp"
#include "support.hpp"
#include "support/leak_check.hpp"

namespace memlane::limits {
namespace {

TEST(Versions, side_by_side_do_not_disturb_each_other) {
  Peer old_sender({"pub p lane/old"});
  Peer old_receiver({"sub s lane/old"});
  ChildProcess next_sender("peer_of_next_version");
  ChildProcess next_receiver("peer_of_next_version");
  static_cast<void>(answer(next_sender, "pub p lane/next"));
  static_cast<void>(answer(next_receiver, "sub s lane/next"));
  for (auto* const one : {static_cast<ChildProcess*>(&old_receiver), static_cast<ChildProcess*>(&next_receiver)})
    EXPECT_EQ(answer(*one, "wait-peers s 1 30000"), "yes");

  // A lane of the other's is refused in words that say both numbers, and stays what it was.
  const std::string refused_old = old_sender.ask("pub q lane/next");
  EXPECT_TRUE(refused_old.starts_with("error version-mismatch")) << refused_old;
  EXPECT_NE(refused_old.find("1001"), std::string::npos) << refused_old;
  const std::string refused_next = next_sender.ask("sub t lane/old");
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
  {
    const Publisher last("another/lane");
    EXPECT_TRUE(test::eventually([] {
      for (const std::string& name : test::names_in_lane_directory()) {
        if (name.find("/pub-") != std::string::npos || name.find("/sub-") != std::string::npos) {
          if (name.find(detail::lane_folder_name(detail::lane_hash("another/lane"))) == std::string::npos) return false;
        }
      }
      return true;
    }));
  }
}

}  // namespace
}  // namespace memlane::limits
