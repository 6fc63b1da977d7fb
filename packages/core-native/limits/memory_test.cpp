// Memory that runs out while ports are at work: the port's budget, a control group's limit, the machine's own.
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "memlane/memlane.hpp"
#include "memlane/platform/memory_limit.hpp"
#include "support.hpp"
#include "support/expect_error.hpp"
#include "support/payload.hpp"

namespace memlane::limits {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mega = std::uint64_t{1} << 20U;

TEST(MemoryLimits, a_budget_is_met_while_running_and_room_again_is_room_again) {
  Publisher publisher("lane", {.memory_budget = 20 * mega});
  Subscriber subscriber("lane", {.depth = 100});
  std::uint64_t sent = 0;
  std::string words;
  while (words.empty()) {
    ASSERT_LT(sent, 20U);
    try {
      publisher.send_copy(test::payload(3 * mega, ++sent));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::budget_spent);
      EXPECT_EQ(error.lane(), "lane");
      words = error.what();
    }
  }
  EXPECT_GE(sent, 6U) << "most of the budget could be used";
  EXPECT_NE(words.find(std::to_string(20 * mega)), std::string::npos) << words;
  EXPECT_LE(publisher.stats().bytes, 20 * mega);
  const auto held = publisher.stats().bytes;
  EXPECT_ERROR(budget_spent, publisher.loan(3 * mega), "budget");
  EXPECT_EQ(publisher.stats().bytes, held) << "a loan that failed holds nothing";
  for (std::uint64_t i = 1; i < sent; ++i) {
    const auto sample = subscriber.take(test::patience);
    ASSERT_TRUE(sample);
    EXPECT_TRUE(test::is_payload(sample->bytes(), i));
  }
  EXPECT_EQ(publisher.send_copy(test::payload(3 * mega, sent)), 1U);
}

/// A control group with a limit, removed with everything in it.
class MemoryGroup {
 public:
  static std::optional<MemoryGroup> with_limit(std::uint64_t bytes) {
    for (const auto& [root, file] :
         {std::pair{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, std::pair{"/sys/fs/cgroup", "memory.max"}}) {
      const fs::path path = fs::path(root) / own_group(root) / ("memlane-" + std::to_string(::getpid()));
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

TEST(MemoryLimits, a_control_groups_limit_is_an_error_that_names_it_and_no_kill) {
  const auto group = MemoryGroup::with_limit(160 * mega);
  if (!group) GTEST_SKIP() << "no control group with a memory limit can be made here";
  Subscriber subscriber("lane", {.depth = 1000});
  Peer peer;
  if (!group->take_in(peer.pid())) GTEST_SKIP() << "no process can be put into a control group here";
  static_cast<void>(answer(peer, "pub p lane"));
  std::uint64_t sent = 0;
  std::string refusal;
  while (refusal.empty() && sent < 100) {
    const std::string line = peer.ask("send p 8000000 " + std::to_string(sent + 1));
    if (line.starts_with("ok")) {
      ++sent;
    } else {
      refusal = line;
    }
  }
  EXPECT_TRUE(refusal.starts_with("error out-of-memory")) << refusal;
  EXPECT_NE(refusal.find("control group"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find(std::to_string(160 * mega)), std::string::npos) << refusal;
  EXPECT_TRUE(peer.running()) << "it was killed";
  EXPECT_GE(sent, 5U);
  // All that was sent is there, and when it is given back there is room for more.
  for (std::uint64_t i = 1; i <= sent; ++i) {
    const auto sample = subscriber.take(test::patience);
    ASSERT_TRUE(sample) << i;
    EXPECT_TRUE(test::is_payload(sample->bytes(), i));
  }
  EXPECT_EQ(number(peer, "send p 8000000 1"), 1U);
  EXPECT_TRUE(subscriber.take(test::patience));
  EXPECT_EQ(peer.wait(), 0);
}

// The queues of links, which others make us have by joining with great depths.
TEST(MemoryLimits, a_control_groups_limit_is_met_by_joining_and_nobody_is_killed) {
  constexpr std::uint64_t limit = 48 * mega;
  const auto group = MemoryGroup::with_limit(limit);
  if (!group) GTEST_SKIP() << "no control group with a memory limit can be made here";
  Peer peer;
  if (!group->take_in(peer.pid())) GTEST_SKIP() << "no process can be put into a control group here";
  static_cast<void>(answer(peer, "pub p lane"));
  static_cast<void>(answer(peer, "reserve p 1000 10"));  // payloads stay away from the limit by more
  std::vector<Subscriber> subscribers;
  std::string refusal;
  while (refusal.empty()) {
    ASSERT_LT(subscribers.size(), 20U);
    subscribers.emplace_back("lane", SubscriberOptions{.depth = 30'000});
    try {
      static_cast<void>(subscribers.back().take());
      ASSERT_EQ(subscribers.back().stats().peers, 1U) << "it was killed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::out_of_memory);
      refusal = error.what();
    }
  }
  EXPECT_NE(refusal.find("control group's memory limit of " + std::to_string(limit)), std::string::npos) << refusal;
  EXPECT_GE(subscribers.size(), 3U);
  EXPECT_EQ(number(peer, "send p 1000 1"), subscribers.size() - 1) << "those who were let in have it";
  subscribers.pop_back();
  for (Subscriber& each : subscribers) EXPECT_TRUE(each.take(test::patience));
  // The same for queues of its own choice; and as those go, there is room again.
  subscribers.clear();
  EXPECT_TRUE(answer(peer, "flush p 20000") == "yes");
  Publisher publisher("wide");
  std::string line;
  for (int i = 0; i < 100 && !line.starts_with("error"); ++i)
    line = peer.ask("sub s" + std::to_string(i) + " wide depth=65535");
  EXPECT_TRUE(line.starts_with("error out-of-memory")) << line;
  EXPECT_NE(line.find("control group's memory limit"), std::string::npos) << line;
  EXPECT_TRUE(peer.running()) << "it was killed";
  static_cast<void>(answer(peer, "close s0"));
  static_cast<void>(answer(peer, "close s1"));
  static_cast<void>(answer(peer, "sub again wide depth=65535"));
  EXPECT_EQ(peer.wait(), 0);
}

TEST(MemoryLimits, what_the_machine_has_not_is_an_error_and_nothing_is_reserved) {
  Publisher publisher("lane");
  publisher.send_copy(test::payload(1000, 1));
  const auto held = publisher.stats().bytes;
  const auto room = detail::platform::memory_room();
  EXPECT_ERROR(out_of_memory, publisher.loan(room.bytes), room.limited_by.substr(0, 20));
  EXPECT_ERROR(out_of_memory, publisher.reserve(room.bytes / 10, 11), "bytes are left");
  EXPECT_ERROR(out_of_memory, publisher.loan(std::uint64_t{1} << 45U), "bytes are left");
  EXPECT_LE(publisher.stats().bytes, held);
  EXPECT_GT(detail::platform::memory_room().bytes, room.bytes / 2) << "not one page of it was taken";
  EXPECT_TRUE(publisher.loan(10'000'000));
}

}  // namespace
}  // namespace memlane::limits
