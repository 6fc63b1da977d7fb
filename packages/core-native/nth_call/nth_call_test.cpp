// The n-th call fails: each scenario is played again and again, and each time another one of the core's system calls fails
// once, with each errno that it plausibly has, until no call is left; likewise each allocation. After each: an error in clear
// words or a recovery, nothing lost that was promised, nothing left, and the same directory as usable as before.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "plausible.hpp"
#include "scenario.hpp"
#include "support/leak_check.hpp"

namespace memlane::nth_call {
namespace {

namespace fs = std::filesystem;

/// What a run must not hang beyond. It says which fault it was, and ends the program.
class Watchdog {
 public:
  explicit Watchdog(std::string what) : what_(std::move(what)), thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void begin(const std::string& what) {
    const std::lock_guard lock(mutex_);
    what_ = what;
    ++runs_;
  }

 private:
  void watch() {
    is_a_test_thread();
    std::unique_lock lock(mutex_);
    for (std::uint64_t seen = 0; !over_;) {
      seen = runs_;
      const auto next = [&] { return over_ || runs_ != seen; };
      if (changed_.wait_for(lock, std::chrono::seconds(100), next)) continue;
      std::fprintf(stderr, "hangs: %s\n", what_.c_str());
      ::abort();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;
  std::uint64_t runs_ = 0;
  bool over_ = false;
  std::thread thread_;
};

std::size_t shared_mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("memfd:memlane") != std::string::npos ? 1 : 0;
  return count;
}

class NthCall : public ::testing::TestWithParam<Played> {
 protected:
  void SetUp() override {
    is_a_test_thread();
    // Two paths to one directory. Only the last part of a path must not be a link.
    const fs::path root = ::getenv("MEMLANE_DIR");
    fs::create_directory(root / "a");
    fs::create_directory_symlink("a", root / "b");
    directories_ = {root / "a" / "d", root / "b" / "d"};
    if (GetParam().for_a_group) {
      directories_.group = std::to_string(::getegid());  // makes the directory itself, each time
    } else {
      fs::create_directory(directories_.near);
      ::chmod(directories_.near.c_str(), 0700);
    }
    ::setenv("MEMLANE_DIR", directories_.near.c_str(), 1);
    root_ = root;
    for (int i = 0; i < 3; ++i) play(std::nullopt);  // whatever is made once and kept is made now
    descriptors_ = test::open_descriptors();
    mappings_ = shared_mappings();
  }

  void TearDown() override {
    ::setenv("MEMLANE_DIR", root_.c_str(), 1);
    fs::remove_all(root_ / "a");
    fs::remove(root_ / "b");
    report();
  }

  /// One run, and what must hold after it. True: the fault happened.
  bool play(const std::optional<Fault>& fault) {
    const std::string what = GetParam().name + ": " + (fault ? fault->text() : "nothing fails");
    SCOPED_TRACE(what);
    watchdog_.begin(what);
    if (GetParam().for_a_group) remove_group_directory();
    const std::int64_t before = live_allocations();
    std::int64_t noted = 0;
    bool happened = false;
    {
      Trial trial(directories_, fault);
      {
        const Injection injection(fault.value_or(Fault{"none", 0, 0}));
        GetParam().scenario.play(trial);
        happened = injection.has_happened();
      }
      const std::int64_t before_noting = live_allocations();
      words_.insert(trial.words().begin(), trial.words().end());
      if (trial.told() != 0 && happened) ++told_;
      noted = live_allocations() - before_noting;
    }
    if (!fault || happened) expect_nothing_left(before + noted);
    ++runs_;
    return happened;
  }

  /// Every fault of a call, one after the other, each with the given errno.
  void fail_each(const char* call, int error) {
    for (std::uint64_t number = 1; !HasFatalFailure(); ++number) {
      ASSERT_LT(number, 2000U) << call << " is called without an end";
      if (!play(Fault{call, error, number})) return;
      ++faults_;
      ++per_call_[call];
      if (::testing::Test::HasFailure() && ++failed_ == 5) GTEST_FAIL() << "enough failures to look at";
    }
  }

  std::size_t faults_ = 0;
  std::map<std::string, std::size_t> per_call_;

 private:
  void expect_nothing_left(std::int64_t allocations) {
    // The directory is as good as new: ports meet there, by both of its names. And whoever leaves last takes the names along
    // that a failed removal left.
    {
      Trial trial(directories_, std::nullopt);
      auto publisher = trial.publisher(directories_.near);
      auto subscriber = trial.subscriber(directories_.far);
      ASSERT_TRUE(publisher && subscriber);
      EXPECT_TRUE(trial.send(*publisher, 10));
      trial.expect_promises_kept(*subscriber);
      EXPECT_EQ(subscriber->stats().received, 1U);
    }
    const auto clean = [&] { return test::names_in_lane_directory().empty(); };
    EXPECT_TRUE(test::eventually(clean, std::chrono::seconds(10)))
        << "left in the lane directory: " << test::names_in_lane_directory().front();
    if (GetParam().for_a_group) {
      remove_group_directory();
      EXPECT_TRUE(fs::is_empty(root_ / "a")) << "left beside it: " << *fs::directory_iterator(root_ / "a");
    }
    if (descriptors_.empty()) return;  // the first runs
    EXPECT_EQ(test::describe(test::open_descriptors()), test::describe(descriptors_));
    EXPECT_EQ(shared_mappings(), mappings_);
    EXPECT_EQ(live_allocations(), allocations) << "memory of the heap is held";
  }

  /// So that the next one to come makes it again.
  void remove_group_directory() const { fs::remove(directories_.near); }

  void report() {
    std::cout << GetParam().name << ": " << faults_ << " faults, " << told_ << " told in words\n";
    for (const std::string& words : words_) std::cout << "  " << words << "\n";
    const char* const file = ::getenv("MEMLANE_REPORT");
    if (file == nullptr || faults_ == 0) return;
    std::ofstream lines(file, std::ios::app);
    lines << "  " << GetParam().name << ": " << faults_ << " faults in " << per_call_.size() << " calls, " << told_
          << " ended in an error, " << faults_ - told_ << " in a recovery\n";
  }

  fs::path root_;
  Directories directories_;
  std::map<int, std::string> descriptors_;
  std::size_t mappings_ = 0;
  std::set<std::string> words_;
  std::size_t runs_ = 0;
  std::size_t told_ = 0;
  std::size_t failed_ = 0;
  Watchdog watchdog_{"the first run"};
};

TEST_P(NthCall, system_calls) {
  for (const Plausible& each : plausible) {
    if (GetParam().for_a_group && !is_about_names(each.call)) continue;  // the others are the same
    for (const int error : each.errors) {
      fail_each(each.call.data(), error);
      if (!per_call_.contains(std::string(each.call))) break;  // it is not called here
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(faults_, 10U);
  if (GetParam().for_a_group) {
    for (const char* call : {"chmod", "fchown", "fchownat", "flock", "mkdtemp", "renameat", "syscall(renameat2)"})
      EXPECT_TRUE(per_call_.contains(call)) << call << " belongs to a group's directory";
  }
}

TEST_P(NthCall, allocations) {
  fail_each(allocation, ENOMEM);
  EXPECT_GT(faults_, 10U);
}

// What an older kernel, or a sandbox, does not have at all: the core does without, for good, and nobody notices.
TEST_P(NthCall, what_is_not_there_at_all_is_not_missed) {
  constexpr std::array lacks{
      Lack{"getsockopt(SO_PEERPIDFD)", ENOPROTOOPT},  // before Linux 6.5
      Lack{"memfd_create", EINVAL, true},             // MFD_NOEXEC_SEAL: before Linux 6.3
      Lack{"ioctl", ENOTTY},                          // PAGEMAP_SCAN: before Linux 6.7
      Lack{"open(pagemap)", ENOENT},                  // /proc is hidden
      Lack{"madvise", EINVAL},                        // MADV_POPULATE_READ: before Linux 5.14
      Lack{"fcntl(F_SETPIPE_SZ)", EPERM},             // this user's pipes are many
      Lack{"setsockopt(SO_SNDBUF)", ENOPROTOOPT},
      Lack{"sched_getaffinity", ENOSYS},
  };
  const auto works_without = [&](std::span<const Lack> some) {
    const Lacking none_of_these(some);
    play(std::nullopt);
  };
  for (const Lack& each : lacks) {
    SCOPED_TRACE(each.call);
    works_without({&each, 1});
  }
  SCOPED_TRACE("all of it");
  works_without(lacks);
}

INSTANTIATE_TEST_SUITE_P(Patterns, NthCall, ::testing::ValuesIn(all_that_is_played()),
                         [](const auto& played) { return played.param.name; });

}  // namespace
}  // namespace memlane::nth_call
