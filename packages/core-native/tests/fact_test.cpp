// What is found out once in a program, and again in its forks.
#include "memlane/platform/fact.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "support/ends_well.hpp"

namespace memlane {
namespace {

using detail::platform::fact;

std::atomic<int> lookers{0};
std::atomic<bool> may_answer{false};

int seven() {
  ++lookers;
  while (!may_answer) std::this_thread::yield();
  return 7;
}

// As the first half that a service thread maps, in a program that forks just then.
TEST(Facts, that_another_thread_is_finding_out_do_not_hold_up_a_forked_child) {
  std::thread looker([] { EXPECT_EQ(fact<seven>(), 7); });
  while (lookers == 0) std::this_thread::yield();
  const pid_t child = ::fork();
  if (child == 0) {
    may_answer = true;
    ::_exit(fact<seven>() == 7 ? 0 : 1);
  }
  EXPECT_TRUE(test::ends_well(child));
  may_answer = true;
  looker.join();
  EXPECT_EQ(fact<seven>(), 7);
  EXPECT_EQ(lookers, 1) << "once";
}

int attempts = 0;

bool fails_at_first() {
  if (++attempts == 1) throw std::runtime_error("something is lacking");
  return false;
}

TEST(Facts, that_could_not_be_found_out_are_looked_for_again) {
  EXPECT_THROW(static_cast<void>(fact<fails_at_first>()), std::runtime_error);
  EXPECT_FALSE(fact<fails_at_first>());
  EXPECT_FALSE(fact<fails_at_first>());
  EXPECT_EQ(attempts, 2);
}

}  // namespace
}  // namespace memlane
