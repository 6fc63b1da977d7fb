// Two containers (mount, process, network, IPC and host name namespaces of their own) that share nothing but the lane
// directory, beside a /dev/shm of 1 MB.
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "memlane/memlane.hpp"
#include "support.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"

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

void exchange_and_die() {
  Contained sender;
  Contained receiver;
  static_cast<void>(answer(sender, "pub p to history=1"));
  static_cast<void>(answer(receiver, "sub s to"));
  static_cast<void>(answer(receiver, "pub p back"));
  Subscriber outside("to");

  EXPECT_EQ(number(sender, "send p 1000 1"), 2U) << "to the other container, and to this process outside of both";
  EXPECT_EQ(answer(receiver, "take s 30000"), "1 1000");
  EXPECT_TRUE(outside.take(test::patience));

  // 200 MB, where /dev/shm has 1.
  EXPECT_EQ(number(sender, "send p 200000000 2"), 2U);
  EXPECT_EQ(answer(receiver, "drain s 1"), "2");
  {
    const auto sample = outside.take(test::patience);
    ASSERT_TRUE(sample);
    EXPECT_TRUE(test::is_payload(sample->bytes(), 2));
  }

  // A death in one is heard in the other: the queue that kept the sender waiting is gone.
  static_cast<void>(answer(sender, "sub s back"));
  EXPECT_EQ(answer(receiver, "wait-peers p 1 30000"), "yes");
  EXPECT_EQ(number(receiver, "send p 100 1"), 1U);
  ASSERT_GT(receiver.inner(), 0);
  ASSERT_EQ(::kill(receiver.inner(), SIGKILL), 0);
  EXPECT_EQ(answer(sender, "take s 30000"), "1 100") << "what the dead had sent";
  EXPECT_TRUE(test::eventually([&] { return answer(sender, "stats p").find(" 1 0") != std::string::npos; }))
      << answer(sender, "stats p");
  EXPECT_TRUE(test::eventually([&] { return answer(sender, "stats s").ends_with(" 0 0"); }));
  EXPECT_EQ(number(sender, "send p 1000 3"), 1U) << "to the one outside";

  // And outside of both.
  ASSERT_EQ(::kill(sender.inner(), SIGKILL), 0);
  EXPECT_TRUE(outside.take(test::patience));
  EXPECT_TRUE(test::eventually([&] { return outside.idle(); }));
}

TEST(Containers, exchange_large_samples_and_hear_of_deaths) {
  if (const std::string why = obstacle(); !why.empty()) GTEST_SKIP() << why;
  exchange_and_die();
  // Whoever was killed before it had buried another leaves names, which the next process to join takes away.
  Peer next({"pub p another"});
  EXPECT_EQ(next.wait(), 0);
  EXPECT_TRUE(test::eventually([] { return test::names_in_lane_directory().empty(); }));
}

}  // namespace
}  // namespace memlane::limits
