// A lane directory that is removed under the feet of running peers: who is linked goes on, and new ports meet in a new one.
#include <filesystem>
#include <string>

#include "patterns.hpp"
#include "support.hpp"
#include "support/eventually.hpp"

namespace memlane::limits {
namespace {

namespace fs = std::filesystem;

class DirectoryRemoved : public OfAnyPattern {};
INSTANTIATE_TEST_SUITE_P(Each, DirectoryRemoved, each_pattern(), name_of);

TEST_P(DirectoryRemoved, leaves_those_who_are_linked_at_work) {
  const fs::path directory = fs::path(::getenv("MEMLANE_DIR")) / "gone";
  Peer one({"directory " + directory.string(), sender("p", "lane")});
  Peer other({"directory " + directory.string(), receiver("s", "lane") + " depth=1000"});
  EXPECT_EQ(number(one, "send p 100 1"), 1U);
  fs::remove_all(directory);

  // Small and large, old memory and new: nothing of it needs a name.
  EXPECT_EQ(number(one, "send p 100 2"), 1U);
  EXPECT_EQ(number(one, "send p 5000000 3"), 1U);
  EXPECT_EQ(answer(other, "drain s 3"), "3");
  EXPECT_EQ(answer(one, "flush p 30000"), "yes");

  // New ports of the same processes, and those of others, meet in a new directory.
  static_cast<void>(answer(other, receiver("t", "lane")));
  EXPECT_EQ(number(one, "send p 100 4"), 1U) << "the old ports have not been joined by the new one";
  static_cast<void>(answer(one, sender("q", "lane")));
  EXPECT_EQ(answer(other, "wait-peers t 1 30000"), "yes");
  static_cast<void>(answer(one, sender("r", "third")));
  Peer third({"directory " + directory.string(), receiver("s", "third")});
  EXPECT_EQ(answer(third, "wait-peers s 1 30000"), "yes");
  for (const char* port : {"q", "r"}) EXPECT_EQ(number(one, std::string("send ") + port + " 200 1"), 1U);
  EXPECT_EQ(answer(third, "take s 30000"), "1 200");
  EXPECT_EQ(answer(other, "take t 30000"), "1 200");
  EXPECT_EQ(answer(other, "take s 30000"), "4 100");

  // Leaving and dying are heard as ever.
  static_cast<void>(answer(one, "close p"));
  EXPECT_TRUE(test::eventually([&] { return answer(other, "stats s").find(" 0 0 0 0") != std::string::npos; }));
  other.kill();
  EXPECT_TRUE(test::eventually([&] { return number(one, "send q 200 2") == 0; }));
  EXPECT_EQ(number(one, "send r 200 2"), 1U);
  EXPECT_EQ(third.wait(), 0);
  EXPECT_EQ(one.wait(), 0);
  EXPECT_TRUE(test::eventually([&] { return fs::is_empty(directory); }));
  fs::remove(directory);
}

TEST_P(DirectoryRemoved, and_made_again_for_others_is_refused_and_not_written_to) {
  const fs::path directory = fs::path(::getenv("MEMLANE_DIR")) / "gone";
  Peer peer({"directory " + directory.string(), sender("p", "lane")});
  fs::remove_all(directory);
  fs::create_directory(directory);
  ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
  const std::string line = peer.ask(receiver("s", "lane"));
  EXPECT_TRUE(line.starts_with("error foreign-directory")) << line;
  EXPECT_EQ(number(peer, "send p 100 1"), 0U);
  EXPECT_EQ(peer.wait(), 0);
  EXPECT_TRUE(fs::is_empty(directory));
  fs::remove(directory);
}

}  // namespace
}  // namespace memlane::limits
