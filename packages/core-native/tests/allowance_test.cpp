// What one process may make us keep for it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include "memlane/memlane.hpp"
#include "support/ends_well.hpp"
#include "support/expect_error.hpp"

namespace memlane {
namespace {

using detail::Allowance;

TEST(Allowance, is_what_was_taken_and_not_given_back) {
  const auto allowance = std::make_shared<Allowance>();
  constexpr std::uint64_t most = std::uint64_t{1} << 30U;
  auto all = allowance->take(Allowance::Of::half_bytes, most);
  EXPECT_FALSE(allowance->try_take(Allowance::Of::half_bytes, 1));
  EXPECT_TRUE(test::throws_error(ErrorCode::out_of_memory, "bytes of queues",
                                 [&] { static_cast<void>(allowance->take(Allowance::Of::half_bytes, 1)); }));
  EXPECT_TRUE(allowance->try_take(Allowance::Of::links, 1)) << "each kind by itself";
  all = {};
  EXPECT_TRUE(allowance->try_take(Allowance::Of::half_bytes, most));
}

// As when the child lets go of a sample while a thread of the parent lets go of a link.
TEST(Allowance, given_back_in_a_forked_child_waits_for_no_thread_of_the_parent) {
  const auto allowance = std::make_shared<Allowance>();
  std::atomic<bool> stop{false};
  // Most of its time it holds the lock.
  std::thread busy([&] {
    while (!stop) static_cast<void>(allowance->try_take(Allowance::Of::links, 1));
  });
  auto share = allowance->take(Allowance::Of::segments, 1);
  bool all_well = true;
  for (int i = 0; i < 200 && all_well; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      {
        const auto gone = std::move(share);
      }
      ::_exit(0);
    }
    all_well = test::ends_well(child);
  }
  EXPECT_TRUE(all_well);
  stop = true;
  busy.join();
}

}  // namespace
}  // namespace memlane
