// A process that dumps its core does nothing, answers nothing and still has all that it had, for as long as that takes: until
// the kernel says that it is dead, it is a frozen one.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "patterns.hpp"
#include "support.hpp"
#include "support/eventually.hpp"
#include "support/leak_check.hpp"

namespace memlane::limits {
namespace {

namespace fs = std::filesystem;
using test::eventually;

constexpr std::uint64_t mega = std::uint64_t{1} << 20U;

/// Where a core is dumped to, and nothing else; removed with it.
class Folder {
 public:
  Folder() {
    path_ = (fs::temp_directory_path() / "ml-core-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a directory for a core dump");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// The size of the one file in it; 0 if there is none.
  [[nodiscard]] std::uint64_t size_of_core() const {
    const fs::directory_iterator entry(path_);
    return entry == end(entry) ? 0 : fs::file_size(*entry);
  }

 private:
  std::string path_;
};

/// Whether the kernel is writing the core of that process at this moment.
bool dumps_core(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line == "CoreDumping:\t1") return true;
  }
  return false;
}

/// Why no core can be looked at here; empty if one can.
std::string obstacle() {
  std::ifstream setting("/proc/sys/kernel/core_pattern");
  std::string where;
  std::getline(setting, where);
  if (where.empty() || where.find_first_of("|@/") != std::string::npos)
    return "cores are not written to the directory of their process here, but to: " + where;
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  if (limit.rlim_max != RLIM_INFINITY) return "cores are limited here (ulimit -Hc)";
  std::ifstream status("/proc/self/status");
  const std::string text(std::istreambuf_iterator<char>(status), {});
  return text.find("CoreDumping:") == std::string::npos ? "this kernel does not tell who dumps its core" : "";
}

std::size_t doors() {
  const auto names = test::names_in_lane_directory();
  return static_cast<std::size_t>(
      std::ranges::count_if(names, [](const std::string& name) { return name.starts_with("door-"); }));
}

class CoreDump : public OfAnyPattern {
 protected:
  /// One core that is dumped, with so much private memory in it. Answers how often the dump was looked at while it went on.
  static int watch_one(std::uint64_t private_bytes) {
    constexpr std::uint64_t payload = 150 * mega;
    const std::string size = std::to_string(payload);
    const Folder folder;
    Peer survivor;
    const std::uint64_t descriptors = number(survivor, "descriptors");
    static_cast<void>(answer(survivor, sender("q", "to/it") + " send_timeout=1"));
    static_cast<void>(answer(survivor, receiver("s", "from/it")));
    Peer newcomer;
    Peer victim({sender("p", "from/it"), receiver("r", "to/it") + " depth=3"});

    // Large payloads that it has sent and holds, and small ones that nobody has taken yet.
    EXPECT_EQ(number(victim, "send p " + size + " 1"), 1U);
    EXPECT_EQ(answer(survivor, "take s 30000 held"), "1 " + size);
    EXPECT_EQ(number(victim, "send p 100 2 2"), 2U);
    EXPECT_EQ(number(survivor, "send q " + size + " 1"), 1U);
    EXPECT_EQ(answer(victim, "take r 30000 held"), "1 " + size);
    EXPECT_EQ(number(survivor, "send q 100 2 3"), 3U);
    static_cast<void>(answer(victim, "keep " + std::to_string(private_bytes)));
    const std::string sent = answer(survivor, "stats q");
    const std::string received = answer(survivor, "stats s");

    victim.say("dump-core " + folder.path());
    int looks = 0;
    std::string joined;
    EXPECT_TRUE(eventually([&] { return dumps_core(victim.pid()) || !victim.running(); }));
    while (dumps_core(victim.pid())) {
      const std::string held_up = survivor.ask("send q 100 5");
      const std::string sent_now = answer(survivor, "stats q");
      const std::string received_now = answer(survivor, "stats s");
      // Who joins removes the names of the dead first.
      if (joined.empty()) joined = newcomer.ask(receiver("n", "from/it") + " join_timeout=1");
      const std::size_t doors_now = doors();
      if (!dumps_core(victim.pid())) break;  // what was seen may be from after the dump
      ++looks;
      EXPECT_TRUE(held_up.starts_with("error timeout")) << "its queue is still its own: " << held_up;
      EXPECT_EQ(sent_now, sent) << "nothing was taken from it";
      EXPECT_EQ(received_now, received);
      EXPECT_EQ(joined, "ok") << "who joins goes on without it";
      EXPECT_EQ(doors_now, 3U) << "its door is one of somebody who may go on";
    }
    EXPECT_EQ(victim.wait(), -SIGABRT);

    // Now its death is heard: its queue is gone, and what it had sent can be read to its end.
    EXPECT_TRUE(eventually([&] { return answer(survivor, "stats q").ends_with(" 0 0"); }));
    EXPECT_TRUE(eventually([&] { return answer(survivor, "stats s").ends_with(" 0 0"); }));
    EXPECT_EQ(number(survivor, "send q 100 5"), 0U);
    EXPECT_EQ(answer(survivor, "drain s 2"), "3");
    EXPECT_EQ(answer(survivor, "stats s").substr(0, 6), "3 0 0 ") << "all received, none dropped, none waiting";
    static_cast<void>(answer(survivor, "release held"));
    for (const char* port : {"q", "s"}) static_cast<void>(answer(survivor, std::string("close ") + port));
    EXPECT_TRUE(eventually([&] { return number(survivor, "descriptors") <= descriptors; }));

    const std::uint64_t core = folder.size_of_core();
    EXPECT_GE(core, private_bytes);
    EXPECT_LT(core, private_bytes + payload / 2) << "a payload is in the core";
    std::cout << "a core of " << core / mega << " MB, " << private_bytes / mega << " of them private memory, beside "
              << 2 * payload / mega << " MB of payloads; looked at " << looks << " times while it was written\n";
    return looks;
  }
};
INSTANTIATE_TEST_SUITE_P(Each, CoreDump, each_pattern(), name_of);

TEST_P(CoreDump, in_progress_is_no_death_and_has_no_payload_in_it) {
  if (const std::string why = obstacle(); !why.empty()) GTEST_SKIP() << why;
  // A dump that was over before anybody could look proves nothing: then a larger one.
  for (std::uint64_t bytes = 256 * mega; bytes <= 2048 * mega; bytes *= 2) {
    if (watch_one(bytes) > 0 || HasFailure()) return;
  }
  FAIL() << "no dump was seen in progress";
}

}  // namespace
}  // namespace memlane::limits
