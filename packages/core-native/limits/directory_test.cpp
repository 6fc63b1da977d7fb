// A lane directory that is removed under the feet of running peers: who is linked goes on, and new ports meet in a new one.
#include <filesystem>
#include <string>

#include "memlane/memlane.hpp"
#include "support.hpp"
#include "support/eventually.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"

namespace memlane::limits {
namespace {

namespace fs = std::filesystem;

TEST(DirectoryRemoved, leaves_those_who_are_linked_at_work) {
  const fs::path directory = fs::path(::getenv("MEMLANE_DIR")) / "gone";
  Peer sender({"directory " + directory.string(), "pub p lane history=1"});
  Peer receiver({"directory " + directory.string(), "sub s lane depth=1000"});
  EXPECT_EQ(number(sender, "send p 100 1"), 1U);
  fs::remove_all(directory);

  // Small and large, old memory and new: nothing of it needs a name.
  EXPECT_EQ(number(sender, "send p 100 2"), 1U);
  EXPECT_EQ(number(sender, "send p 5000000 3"), 1U);
  EXPECT_EQ(answer(receiver, "drain s 3"), "3");
  EXPECT_EQ(answer(sender, "flush p 30000"), "yes");

  // New ports of the same processes, and those of others, meet in a new directory.
  static_cast<void>(answer(receiver, "sub t lane"));
  EXPECT_EQ(number(sender, "send p 100 4"), 1U) << "the old ports have not been joined by the new one";
  static_cast<void>(answer(sender, "pub q lane"));
  EXPECT_EQ(answer(receiver, "wait-peers t 1 30000"), "yes");
  Peer third({"directory " + directory.string(), "sub s lane"});
  EXPECT_EQ(answer(third, "wait-peers s 1 30000"), "yes");
  EXPECT_EQ(number(sender, "send q 200 1"), 2U);
  EXPECT_EQ(answer(third, "take s 30000"), "1 200");
  EXPECT_EQ(answer(receiver, "take t 30000"), "1 200");
  EXPECT_EQ(answer(receiver, "take s 30000"), "4 100");

  // Leaving and dying are heard as ever.
  static_cast<void>(answer(sender, "close p"));
  EXPECT_TRUE(test::eventually([&] { return answer(receiver, "stats s").find(" 0 0 0 0") != std::string::npos; }));
  receiver.kill();
  EXPECT_TRUE(test::eventually([&] { return number(sender, "send q 200 2") == 1; }));
  EXPECT_EQ(third.wait(), 0);
  EXPECT_EQ(sender.wait(), 0);
  EXPECT_TRUE(test::eventually([&] { return fs::is_empty(directory); }));
  fs::remove(directory);
}

TEST(DirectoryRemoved, and_made_again_for_others_is_refused_and_not_written_to) {
  const fs::path directory = fs::path(::getenv("MEMLANE_DIR")) / "gone";
  Peer peer({"directory " + directory.string(), "pub p lane"});
  fs::remove_all(directory);
  fs::create_directory(directory);
  ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
  const std::string line = peer.ask("sub s lane");
  EXPECT_TRUE(line.starts_with("error foreign-directory")) << line;
  EXPECT_EQ(number(peer, "send p 100 1"), 0U);
  EXPECT_EQ(peer.wait(), 0);
  EXPECT_TRUE(fs::is_empty(directory));
  fs::remove(directory);
}

}  // namespace
}  // namespace memlane::limits
