// Signals belong to the program: no thread of the core takes one, no mask of the program's is changed for good, and none that
// comes in the middle of a port's work costs it anything.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "memlane/memlane.hpp"
#include "support/child_process.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using test::patience;

std::set<std::string> threads() {
  std::set<std::string> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    found.insert(task.path().filename().string());
  return found;
}

/// The signals that a thread blocks: bit 0 is signal 1.
std::uint64_t blocked_by(const std::string& thread) {
  std::ifstream status("/proc/self/task/" + thread + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigBlk:")) return std::stoull(line.substr(7), nullptr, 16);
  }
  return 0;
}

constexpr std::uint64_t bit(int signal) {
  return std::uint64_t{1} << static_cast<unsigned>(signal - 1);
}

/// All that a program can block: neither SIGKILL and SIGSTOP, nor the two below SIGRTMIN that the C library keeps for itself.
std::uint64_t all_that_can_be_blocked() {
  std::uint64_t all = 0;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP && (signal < 32 || signal >= SIGRTMIN)) all |= bit(signal);
  }
  return all;
}

std::uint64_t own_mask() {
  return blocked_by(std::to_string(::gettid()));
}

volatile sig_atomic_t signals_taken = 0;

TEST(Signals, are_never_taken_by_a_thread_of_the_cores) {
  std::thread([] {}).join();  // with the first thread a sanitizer starts one of its own
  const std::set<std::string> before = threads();
  const std::uint64_t mask = own_mask();
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  int of_the_cores = 0;
  for (const std::string& thread : threads()) {
    if (before.contains(thread)) continue;
    ++of_the_cores;
    EXPECT_EQ(blocked_by(thread) & all_that_can_be_blocked(), all_that_can_be_blocked());
  }
  EXPECT_EQ(of_the_cores, 1) << "the service thread";
  EXPECT_EQ(own_mask(), mask) << "the program's own mask is what it was";

  // One for the process, which this thread does not want now: it waits, since nobody else wants it either.
  struct sigaction noted{};
  struct sigaction as_before{};
  noted.sa_handler = [](int) { signals_taken = 1; };
  ASSERT_EQ(::sigaction(SIGUSR1, &noted, &as_before), 0);
  sigset_t one;
  sigset_t unblocked;
  ::sigemptyset(&one);
  ::sigaddset(&one, SIGUSR1);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &one, &unblocked), 0);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  publisher.send_copy(test::payload(10, 1));
  ASSERT_TRUE(subscriber.take(patience));
  sigset_t waiting;
  ASSERT_EQ(::sigpending(&waiting), 0);
  EXPECT_EQ(::sigismember(&waiting, SIGUSR1), 1);
  EXPECT_EQ(signals_taken, 0);
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &unblocked, nullptr), 0);
  EXPECT_EQ(signals_taken, 1) << "it was for this thread";
  ::sigaction(SIGUSR1, &as_before, nullptr);
}

volatile sig_atomic_t alarms = 0;

/// A handler without SA_RESTART: every call that waits is interrupted, again and again.
class Alarms {
 public:
  Alarms() {
    struct sigaction noted{};
    noted.sa_handler = [](int) { alarms = alarms + 1; };
    ::sigaction(SIGALRM, &noted, &before_);
    const itimerval often{{0, 500}, {0, 500}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~Alarms() {
    const itimerval never{};
    ::setitimer(ITIMER_REAL, &never, nullptr);
    ::sigaction(SIGALRM, &before_, nullptr);
  }
  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;

 private:
  struct sigaction before_{};
};

TEST(Signals, that_interrupt_every_call_cost_nothing) {
  test::Peer peer({"sub s there depth=1", "pub p back"});
  Subscriber back("back");
  ASSERT_TRUE(back.wait_for_publishers(1, patience));
  const Alarms storm;
  for (int round = 1; round <= 30; ++round) {
    SCOPED_TRACE(round);
    Publisher there("there");  // joins, and finds the peer
    ASSERT_EQ(there.send_copy(test::payload(100, 1)), 1U);
    peer.say("take s 30000");
    ASSERT_EQ(there.send_copy(test::payload(200'000, 2)), 1U) << "waits for room";
    ASSERT_EQ(peer.hear(), "ok 1 100");
    peer.say("take s 30000");
    ASSERT_TRUE(there.flush(patience)) << "waits until all is taken";
    ASSERT_EQ(peer.hear(), "ok 2 200000");
    peer.say("send p 1000 " + std::to_string(round));
    const auto sample = back.take(patience);
    ASSERT_TRUE(sample);
    EXPECT_TRUE(test::is_payload(sample->bytes(), static_cast<std::uint64_t>(round)));
    ASSERT_EQ(peer.hear(), "ok 1");
  }
  // A wait has its time, whatever interrupts it.
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(back.take(50ms));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 50ms);
  EXPECT_TRUE(test::eventually([] { return alarms > 20; })) << "there was a storm";
}

}  // namespace
}  // namespace memlane
