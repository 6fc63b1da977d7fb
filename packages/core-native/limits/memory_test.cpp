// Memory that runs out while ports are at work: the port's budget, a control group's limit, the machine's own.
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "memlane/memlane.hpp"
#include "patterns.hpp"
#include "support.hpp"

namespace memlane::limits {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mega = std::uint64_t{1} << 20U;

/// Sends from port p until it is refused. Each payload is the one that its number, counted in `sent`, says.
std::string send_until_refused(ChildProcess& peer, const std::string& size, std::uint64_t& sent) {
  for (std::string line; sent < 100; ++sent) {
    line = peer.ask("send p " + size + " " + std::to_string(sent + 1));
    if (!line.starts_with("ok")) return line;
  }
  return "all was sent";
}

class MemoryLimits : public OfAnyPattern {};
INSTANTIATE_TEST_SUITE_P(Each, MemoryLimits, each_pattern(), name_of);

TEST_P(MemoryLimits, a_budget_is_met_while_running_and_room_again_is_room_again) {
  const std::string budget = std::to_string(20 * mega);
  const std::string size = std::to_string(3 * mega);
  Peer one({sender("p", "lane") + " budget=" + budget});
  Peer other({receiver("s", "lane") + " depth=100"});
  std::uint64_t sent = 0;
  const std::string refusal = send_until_refused(one, size, sent);
  EXPECT_TRUE(refusal.starts_with("error budget-spent")) << refusal;
  EXPECT_TRUE(refusal.ends_with("(lane \"lane\")")) << refusal;
  EXPECT_NE(refusal.find(budget), std::string::npos) << refusal;
  EXPECT_GE(sent, 6U) << "most of the budget could be used";
  const auto held = stat(one, "p", Stat::bytes);
  EXPECT_LE(held, 20 * mega);
  EXPECT_TRUE(one.ask("loan p l " + size + " 1").starts_with("error budget-spent"));
  EXPECT_EQ(stat(one, "p", Stat::bytes), held) << "a loan that failed holds nothing";
  const std::string all_but_one = std::to_string(sent - 1);
  EXPECT_EQ(answer(other, "drain s " + all_but_one), all_but_one);
  EXPECT_EQ(number(one, "send p " + size + " 1"), 1U);
}

/// A control group with a limit, removed with everything in it.
class MemoryGroup {
 public:
  static std::optional<MemoryGroup> with_limit(std::uint64_t bytes, const std::string& name = "limited") {
    for (const auto& [root, file] :
         {std::pair{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, std::pair{"/sys/fs/cgroup", "memory.max"}}) {
      const fs::path path = fs::path(root) / own_group(root) / ("memlane-" + name + "-" + std::to_string(::getpid()));
      std::error_code refused;
      if (!fs::create_directory(path, refused) || refused) continue;
      MemoryGroup group(path);
      if (group.write(file, std::to_string(bytes))) return group;
    }
    return std::nullopt;
  }

  explicit MemoryGroup(fs::path path) : path_(std::move(path)) {}
  MemoryGroup(MemoryGroup&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  MemoryGroup(const MemoryGroup&) = delete;
  ~MemoryGroup() {
    // The kernel lets go of the last process in its own time.
    const auto gone = [&] { return ::rmdir(path_.c_str()) == 0 || errno == ENOENT; };
    EXPECT_TRUE(path_.empty() || test::eventually(gone)) << path_;
  }

  [[nodiscard]] bool take_in(pid_t process) const { return write("cgroup.procs", std::to_string(process)); }

  /// What its processes are charged for, in bytes.
  [[nodiscard]] std::uint64_t usage() const {
    std::uint64_t bytes = 0;
    for (const char* const file : {"memory.usage_in_bytes", "memory.current"}) std::ifstream(path_ / file) >> bytes;
    return bytes;
  }

 private:
  /// Where this process is, below the root, if that is to be seen.
  static std::string own_group(const fs::path& root) {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
      const bool memory = line.find(":memory:") != std::string::npos;
      const bool unified = line.starts_with("0::");
      if (root.filename() == "memory" ? !memory : !unified) continue;
      const std::string path = line.substr(line.find(':', line.find(':') + 1) + 2);
      if (fs::exists(root / path)) return path;
    }
    return "";
  }

  [[nodiscard]] bool write(const std::string& file, const std::string& value) const {
    std::ofstream stream(path_ / file);
    stream << value << std::flush;
    return stream.good();
  }

  fs::path path_;
};

TEST_P(MemoryLimits, a_control_groups_limit_is_an_error_that_names_it_and_no_kill) {
  const auto group = MemoryGroup::with_limit(160 * mega);
  if (!group) GTEST_SKIP() << "no control group with a memory limit can be made here";
  Peer outside({receiver("s", "lane") + " depth=1000"});
  Peer peer;
  if (!group->take_in(peer.pid())) GTEST_SKIP() << "no process can be put into a control group here";
  static_cast<void>(answer(peer, sender("p", "lane")));
  std::uint64_t sent = 0;
  const std::string refusal = send_until_refused(peer, "8000000", sent);
  EXPECT_TRUE(refusal.starts_with("error out-of-memory")) << refusal;
  EXPECT_NE(refusal.find("control group"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find(std::to_string(160 * mega)), std::string::npos) << refusal;
  EXPECT_TRUE(peer.running()) << "it was killed";
  EXPECT_GE(sent, 5U);
  // All that was sent is there, and when it is given back there is room for more.
  EXPECT_EQ(number(outside, "drain s " + std::to_string(sent)), sent);
  EXPECT_EQ(number(peer, "send p 8000000 " + std::to_string(sent + 1)), 1U);
  EXPECT_EQ(number(outside, "drain s 1"), sent + 1);
  EXPECT_EQ(peer.wait(), 0);
}

// The queues of links, which others make us have by joining with great depths.
TEST_P(MemoryLimits, a_control_groups_limit_is_met_by_joining_and_nobody_is_killed) {
  constexpr std::uint64_t limit = 48 * mega;
  const auto group = MemoryGroup::with_limit(limit);
  if (!group) GTEST_SKIP() << "no control group with a memory limit can be made here";
  Peer outside({sender("p", "wide")});
  Peer peer;
  if (!group->take_in(peer.pid())) GTEST_SKIP() << "no process can be put into a control group here";
  const auto port = [](const char* kind, int i) { return kind + std::to_string(i); };
  const auto lane = [](int i) { return "lane/" + std::to_string(i); };
  constexpr int all = 20;
  for (int i = 0; i < all; ++i) {
    static_cast<void>(answer(peer, sender(port("p", i), lane(i))));
    static_cast<void>(
        answer(peer, "reserve " + port("p", i) + " 1000 1"));  // payloads stay away from the limit by more
  }
  int joined = 0;
  std::string refusal;
  for (; refusal.empty(); ++joined) {
    ASSERT_LT(joined, all);
    static_cast<void>(answer(outside, receiver(port("s", joined), lane(joined)) + " depth=30000"));
    const std::string line = outside.ask("take " + port("s", joined) + " 0");
    if (line != "ok none") {
      refusal = line;
      break;
    }
    ASSERT_EQ(stat(outside, port("s", joined), Stat::peers), 1U) << "it was killed";
  }
  EXPECT_TRUE(refusal.starts_with("error out-of-memory")) << refusal;
  EXPECT_NE(refusal.find("control group's memory limit of " + std::to_string(limit)), std::string::npos) << refusal;
  EXPECT_GE(joined, 2);
  for (int i = 0; i < joined; ++i) EXPECT_EQ(number(peer, "send " + port("p", i) + " 1000 1"), 1U);
  EXPECT_EQ(number(peer, "send " + port("p", joined) + " 1000 1"), 0U);
  for (int i = 0; i < joined; ++i) EXPECT_EQ(answer(outside, "drain " + port("s", i) + " 1"), "1");
  // The same for queues of its own choice; and as those go, there is room again.
  for (int i = 0; i <= joined; ++i) static_cast<void>(answer(outside, "close " + port("s", i)));
  for (int i = 0; i <= joined; ++i) EXPECT_EQ(answer(peer, "flush " + port("p", i) + " 20000"), "yes");
  std::string line;
  for (int i = 0; i < 100 && !line.starts_with("error"); ++i)
    line = peer.ask(receiver(port("r", i), "wide") + " depth=65535");
  EXPECT_TRUE(line.starts_with("error out-of-memory")) << line;
  EXPECT_NE(line.find("control group's memory limit"), std::string::npos) << line;
  EXPECT_TRUE(peer.running()) << "it was killed";
  static_cast<void>(answer(peer, "close r0"));
  static_cast<void>(answer(peer, "close r1"));
  // It is charged for them until the other end has let go as well.
  EXPECT_TRUE(test::eventually([&] { return peer.ask(receiver("again", "wide") + " depth=65535") == "ok"; }));
  EXPECT_EQ(peer.wait(), 0);
}

// Memory belongs to whoever touched it first, as the kernel sees it, also when that one is dead, until the last one who can
// see it lets go. So who sends must be the one to touch it, and a group may be full of what its dead have sent.
TEST_P(MemoryLimits, a_sample_is_charged_to_its_senders_group_until_the_last_receiver_lets_go) {
  const auto sending = MemoryGroup::with_limit(400 * mega, "sending");
  const auto receiving = MemoryGroup::with_limit(80 * mega, "receiving");
  if (!sending || !receiving) GTEST_SKIP() << "no control group with a memory limit can be made here";
  const std::string size = std::to_string(150 * mega);
  Peer first;
  Peer next;
  Peer other;
  if (!sending->take_in(first.pid()) || !sending->take_in(next.pid()) || !receiving->take_in(other.pid()))
    GTEST_SKIP() << "no process can be put into a control group here";
  static_cast<void>(answer(other, receiver("s", "lane")));
  static_cast<void>(answer(first, sender("p", "lane")));

  // It sees every byte of what is larger than all that its group may have.
  EXPECT_EQ(number(first, "send p " + size + " 1"), 1U);
  EXPECT_EQ(answer(other, "drain s 1"), "1");
  EXPECT_EQ(answer(first, "flush p 30000"), "yes");
  EXPECT_EQ(number(first, "send p " + size + " 2"), 1U);
  EXPECT_EQ(answer(other, "take s 30000 held"), "2 " + size);
  EXPECT_TRUE(other.running()) << "it was killed";
  EXPECT_LT(receiving->usage(), 40 * mega);

  first.kill();
  EXPECT_TRUE(test::eventually([&] { return stat(other, "s", Stat::peers) == 0; }));
  EXPECT_GE(sending->usage(), 150 * mega) << "the dead one's group";
  static_cast<void>(answer(next, sender("p", "another")));
  const std::string large = "loan p l " + std::to_string(300 * mega) + " 1";
  const std::string refusal = next.ask(large);
  EXPECT_TRUE(refusal.starts_with("error out-of-memory")) << refusal;
  EXPECT_NE(refusal.find("control group"), std::string::npos) << refusal;

  static_cast<void>(answer(other, "release held"));
  EXPECT_TRUE(test::eventually([&] { return sending->usage() < 100 * mega; })) << sending->usage();
  EXPECT_EQ(next.ask(large), "ok");
  for (auto* peer : {&next, &other}) EXPECT_EQ(peer->wait(), 0);
}

TEST_P(MemoryLimits, what_the_machine_has_not_is_an_error_and_nothing_is_reserved) {
  Peer peer({sender("p", "lane"), "send p 1000 1"});
  const auto held = stat(peer, "p", Stat::bytes);
  const auto room = detail::platform::memory_room();
  // A little more than there is: others may give memory back at this moment.
  const std::string tenth = std::to_string(room.bytes / 10);
  for (const std::string& command : {"loan p l " + std::to_string(room.bytes / 10 * 11) + " 1",
                                     "reserve p " + tenth + " 11", "loan p l " + std::to_string(1ULL << 45U) + " 1"}) {
    const std::string refusal = peer.ask(command);
    EXPECT_TRUE(refusal.starts_with("error out-of-memory")) << command << ": " << refusal;
    EXPECT_NE(refusal.find("bytes are left"), std::string::npos) << refusal;
    EXPECT_NE(refusal.find(room.limited_by.substr(0, 20)), std::string::npos) << refusal;
  }
  EXPECT_LE(stat(peer, "p", Stat::bytes), held);
  EXPECT_GT(detail::platform::memory_room().bytes, room.bytes / 2) << "not one page of it was taken";
  EXPECT_EQ(peer.ask("loan p l 10000000 1"), "ok");
}

}  // namespace
}  // namespace memlane::limits
