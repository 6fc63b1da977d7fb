// ThreadSanitizer over the lock-free code itself: programs whose two ends of a link share one mapping, since between two
// mappings it sees nothing. And the same with one order weakened, which it must find, or it would prove nothing.
//
// GCC's ThreadSanitizer does not know fences. Nothing of what it looks at here hangs on one: those of the take-back and of
// the sleep decide who may go on, and are explored by the models.
#if defined(__SANITIZE_THREAD__)

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/child_process.hpp"

namespace memlane {
namespace {

using test::ChildProcess;

void is_whole(const std::string& program, const std::vector<std::string>& arguments = {}) {
  ChildProcess child(program, arguments);
  EXPECT_EQ(child.hear(), "whole");
  EXPECT_EQ(child.wait(), 0);
}

/// A report of ThreadSanitizer, and not an error that the program itself found: those depend on the machine.
void is_reported(const std::string& program, const std::vector<std::string>& arguments = {}) {
  ChildProcess child(program, arguments);
  EXPECT_EQ(child.wait(), 66) << program << " was not found out";
}

TEST(OneMapping, a_ring_orders_every_touch_of_a_payload) {
  for (const char* const depth : {"1", "2", "7"}) is_whole("one_ring", {"0", depth, "20000"});
}

TEST(OneMapping, a_ring_with_take_back_does_as_well) {
  for (const char* const depth : {"1", "2", "7"}) is_whole("one_ring", {"1", depth, "20000"});
}

TEST(OneMapping, each_weakened_order_of_the_ring_is_found) {
  for (const char* const mutant : {"sender_release", "sender_acquire", "receiver_release", "receiver_acquire"})
    is_reported(std::string("one_ring_") + mutant, {"0", "2", "20000"});
}

TEST(OneMapping, whole_ports_do_as_well) {
  is_whole("one_mapping");
}

TEST(OneMapping, whole_ports_without_releases_are_found) {
  is_reported("one_mapping_weakened");
  const Subscriber next("lane");  // removes the names that it left
}

}  // namespace
}  // namespace memlane

#endif
