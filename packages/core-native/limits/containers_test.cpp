// Two containers (mount, process, network, IPC and host name namespaces of their own) that share nothing but the lane
// directory, beside a /dev/shm of 1 MB.
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "patterns.hpp"
#include "support.hpp"
#include "support/leak_check.hpp"

namespace memlane::limits {
namespace {

constexpr const char* unshare = "/usr/bin/unshare";
const std::string inside = "mount -t tmpfs -o size=1m tmpfs /dev/shm && exec ";

std::vector<std::string> separate(const std::string& command) {
  std::vector<std::string> words{"-m", "-p", "-n", "-i", "-u", "--fork", "--kill-child", "--mount-proc"};
  if (::geteuid() != 0) words.insert(words.begin(), {"-U", "-r"});
  words.insert(words.end(), {"sh", "-c", inside + command});
  return words;
}

/// Why no container can be made here; empty if one can.
std::string obstacle() {
  if (::access(unshare, X_OK) != 0) return "there is no unshare here";
  std::string command = unshare;
  for (const std::string& word : separate("true")) command += " '" + word + "'";
  return std::system((command + " 2>/dev/null").c_str()) == 0 ? "" : "unshare is not permitted here";
}

/// A peer in a container of its own.
class Contained : public ChildProcess {
 public:
  Contained() : ChildProcess(unshare, separate("'" + std::string(MEMLANE_TEST_PROGRAMS) + "/peer'")) {}

  /// The peer itself; unshare waits for it.
  [[nodiscard]] pid_t inner() const {
    std::ifstream children("/proc/" + std::to_string(pid()) + "/task/" + std::to_string(pid()) + "/children");
    pid_t child = -1;
    children >> child;
    return child;
  }
};

class Containers : public OfAnyPattern {
 protected:
  static void exchange_and_die() {
    Contained one;
    Contained other;
    Peer outside;
    static_cast<void>(answer(one, sender("p", "to/the/other")));
    static_cast<void>(answer(one, sender("q", "out")));
    static_cast<void>(answer(other, receiver("s", "to/the/other")));
    static_cast<void>(answer(other, sender("b", "back")));
    static_cast<void>(answer(outside, receiver("s", "out")));

    // 200 MB, where /dev/shm has 1.
    for (const std::string what : {" 1000 1", " 200000000 2"}) {
      for (const char* port : {"p", "q"}) EXPECT_EQ(number(one, "send " + std::string(port) + what), 1U);
      for (auto* to : {static_cast<ChildProcess*>(&other), static_cast<ChildProcess*>(&outside)})
        EXPECT_EQ(answer(*to, "drain s 1"), what.substr(what.size() - 1));
    }

    // A death in one is heard in the other: the queue that kept the sender waiting is gone.
    static_cast<void>(answer(one, receiver("s", "back")));
    EXPECT_EQ(answer(other, "wait-peers b 1 30000"), "yes");
    EXPECT_EQ(number(other, "send b 100 1"), 1U);
    ASSERT_GT(other.inner(), 0);
    ASSERT_EQ(::kill(other.inner(), SIGKILL), 0);
    EXPECT_EQ(answer(one, "take s 30000"), "1 100") << "what the dead had sent";
    EXPECT_TRUE(test::eventually([&] { return answer(one, "stats p").ends_with(" 0 0"); })) << answer(one, "stats p");
    EXPECT_TRUE(test::eventually([&] { return answer(one, "stats s").ends_with(" 0 0"); }));
    EXPECT_EQ(number(one, "send q 1000 3"), 1U) << "to the one outside";

    // And outside of both.
    ASSERT_EQ(::kill(one.inner(), SIGKILL), 0);
    EXPECT_EQ(answer(outside, "drain s 1"), "3");
    EXPECT_TRUE(test::eventually([&] { return answer(outside, "stats s").ends_with(" 0 0"); }));
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Containers, each_pattern(), name_of);

TEST_P(Containers, exchange_large_samples_and_hear_of_deaths) {
  if (const std::string why = obstacle(); !why.empty()) GTEST_SKIP() << why;
  exchange_and_die();
  // Whoever was killed before it had buried another leaves names, which the next process to join takes away.
  Peer next({sender("p", "another")});
  EXPECT_EQ(next.wait(), 0);
  EXPECT_TRUE(test::eventually([] { return test::names_in_lane_directory().empty(); }));
}

}  // namespace
}  // namespace memlane::limits
