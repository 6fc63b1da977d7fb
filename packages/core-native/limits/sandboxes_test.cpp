// What a sandbox may take away: /proc, or the right to write to the lane directory. It is said, in words, and others go on.
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "patterns.hpp"
#include "support.hpp"

namespace memlane::limits {
namespace {

constexpr const char* unshare = "/usr/bin/unshare";

/// A command in a mount namespace of its own, in which something else comes first.
std::vector<std::string> after(const std::string& change, const std::string& command) {
  std::vector<std::string> words{"-m"};
  if (::geteuid() != 0) words.insert(words.begin(), {"-U", "-r"});
  words.insert(words.end(), {"sh", "-c", change + " && exec " + command});
  return words;
}

/// Why that cannot be done here; empty if it can.
std::string obstacle(const std::string& change) {
  if (::access(unshare, X_OK) != 0) return "there is no unshare here";
  std::string command = unshare;
  for (const std::string& word : after(change, "true")) command += " '" + word + "'";
  return std::system((command + " 2>/dev/null").c_str()) == 0 ? "" : "not permitted here: " + change;
}

class Confined : public ChildProcess {
 public:
  explicit Confined(const std::string& change)
      : ChildProcess(unshare, after(change, "\"" + std::string(MEMLANE_TEST_PROGRAMS) + "/peer\"")) {}
};

class Sandboxes : public OfAnyPattern {};
INSTANTIATE_TEST_SUITE_P(Each, Sandboxes, each_pattern(), name_of);

TEST_P(Sandboxes, without_proc_are_told_what_is_missing_and_disturb_nobody) {
  const std::string no_proc = "mount -t tmpfs tmpfs /proc";
  if (const std::string why = obstacle(no_proc); !why.empty()) GTEST_SKIP() << why;
  Peer outside({sender("p", "lane"), receiver("s", "lane")});
  Confined confined(no_proc);
  for (const std::string& port : {receiver("s", "lane"), sender("p", "lane"), sender("q", "another")}) {
    const std::string command = port + " join_timeout=30000";
    const std::string line = confined.ask(command);
    EXPECT_TRUE(line.starts_with("error system")) << command << ": " << line;
    EXPECT_NE(line.find("/proc"), std::string::npos) << line;
  }
  EXPECT_EQ(number(outside, "send p 10 1"), 1U);
  EXPECT_EQ(answer(outside, "drain s 1"), "1");
  EXPECT_EQ(stat(outside, "p", Stat::peers), 1U);
}

TEST_P(Sandboxes, with_a_directory_that_they_may_not_write_to_are_told_so) {
  const std::string directory = ::getenv("MEMLANE_DIR");
  const std::string read_only =
      "mount --bind " + directory + " " + directory + " && mount -o remount,bind,ro " + directory;
  if (const std::string why = obstacle(read_only); !why.empty()) GTEST_SKIP() << why;
  Peer outside({sender("p", "lane"), receiver("s", "lane")});
  Confined confined(read_only);
  for (const std::string& command : {receiver("s", "lane"), sender("p", "lane"), sender("q", "another")}) {
    const std::string line = confined.ask(command);
    EXPECT_TRUE(line.starts_with("error permission-denied")) << command << ": " << line;
    EXPECT_NE(line.find(directory), std::string::npos) << line;
  }
  EXPECT_EQ(number(outside, "send p 10 1"), 1U);
  EXPECT_EQ(answer(outside, "drain s 1"), "1");
}

}  // namespace
}  // namespace memlane::limits
