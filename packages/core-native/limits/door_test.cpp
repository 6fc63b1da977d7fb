// More newcomers than a door has room for, at the door of a process that stands still: whoever comes goes on without it, waits
// for it without a turn of the processor, and is let in as soon as it goes on.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "memlane/memlane.hpp"
#include "patterns.hpp"
#include "support.hpp"
#include "support/leak_check.hpp"

namespace memlane::limits {
namespace {

using detail::platform::Handle;

std::size_t longest_queue() {
  std::ifstream file("/proc/sys/net/core/somaxconn");
  std::size_t length = 0;
  file >> length;
  return length;
}

bool can_open(std::size_t files) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= files;
}

/// A connection that says nothing; empty if there is no room at the door.
Handle knock(const std::string& door) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, door.c_str(), sizeof address.sun_path - 1);
  Handle socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    EXPECT_EQ(errno, EAGAIN);
    socket.reset();
  }
  return socket;
}

std::string only_door() {
  for (const std::string& name : test::names_in_lane_directory()) {
    if (name.starts_with("door-")) return std::string(::getenv("MEMLANE_DIR")) + "/" + name;
  }
  return "";
}

class Door : public OfAnyPattern {};
INSTANTIATE_TEST_SUITE_P(Each, Door, each_pattern(), name_of);

TEST_P(Door, with_no_room_left_lets_everybody_in_when_its_process_goes_on) {
  const std::size_t longest = longest_queue();
  if (longest == 0 || longest > 20'000) GTEST_SKIP() << "a queue of " << longest << " cannot be filled";
  if (!can_open(longest + 500)) GTEST_SKIP() << "this process may not open " << longest + 500 << " files (ulimit -Hn)";
  constexpr int expected = 6;
  const auto lane = [](int i) { return "lane/" + std::to_string(i); };
  Peer frozen;
  for (int i = 0; i < expected; ++i) {
    const std::string port = "p" + std::to_string(i);
    static_cast<void>(answer(frozen, sender(port, lane(i))));
    static_cast<void>(answer(frozen, "reserve " + port + " 1000 1"));
  }
  const std::uint64_t before = number(frozen, "descriptors");
  const std::string door = only_door();
  frozen.freeze();
  std::vector<Handle> crowd;
  for (Handle each = knock(door); each; each = knock(door)) crowd.push_back(std::move(each));
  EXPECT_GE(crowd.size(), longest);

  std::vector<std::unique_ptr<Peer>> newcomers;
  for (int i = 0; i < expected; ++i) {
    newcomers.push_back(std::make_unique<Peer>());
    static_cast<void>(answer(*newcomers.back(), receiver("s", lane(i)) + " join_timeout=50"));
  }
  for (auto& each : newcomers) {
    EXPECT_EQ(answer(*each, "wait-peers s 1 100"), "no");
    EXPECT_LT(number(*each, "processor-time"), 1000U) << "it tries again now and then, and does not spin";
  }
  frozen.thaw();
  for (auto& each : newcomers) EXPECT_EQ(answer(*each, "wait-peers s 1 30000"), "yes");
  for (int i = 0; i < expected; ++i) EXPECT_EQ(number(frozen, "send p" + std::to_string(i) + " 1000 1"), 1U);
  for (auto& each : newcomers) EXPECT_EQ(answer(*each, "take s 30000"), "1 1000");
  crowd.clear();
  for (auto& each : newcomers) EXPECT_EQ(each->wait(), 0);
  EXPECT_TRUE(test::eventually([&] { return number(frozen, "descriptors") <= before + 2; }))
      << "nothing of the crowd is kept";
}

}  // namespace
}  // namespace memlane::limits
