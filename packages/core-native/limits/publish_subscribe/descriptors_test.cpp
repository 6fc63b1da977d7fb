// The limit of open files, where a publisher has several subscribers that fare differently, each with a policy of its own.
#include <string>

#include "../support.hpp"
#include "support/eventually.hpp"

namespace memlane::limits {
namespace {

using test::eventually;

TEST(PublishSubscribeDescriptors, lost_on_the_way_cost_their_link_and_no_other) {
  if (!OrdinaryUser::can_be()) GTEST_SKIP() << "only root can become another user";
  const OrdinaryUser user;
  const auto sender = user.peer({"pub p lane"});
  const auto healthy = user.peer({"sub s lane depth=100"});
  const auto poor = user.peer({"sub s lane depth=100"});
  EXPECT_EQ(number(*sender, "send p 100 1"), 2U);
  EXPECT_EQ(answer(*poor, "take s 30000"), "1 100");
  static_cast<void>(answer(*poor, "limit-descriptors 0"));
  // A sample that needs memory of its own, whose handle has no place any more.
  EXPECT_EQ(number(*sender, "send p 3000000 2"), 2U);
  const std::string line = poor->ask("take s 30000");
  EXPECT_TRUE(line.starts_with("error descriptor-limit")) << line;
  EXPECT_EQ(poor->ask("take s 0"), "ok none") << "told once";
  EXPECT_EQ(answer(*healthy, "drain s 2"), "2");
  EXPECT_TRUE(eventually([&] { return number(*sender, "send p 100 3") == 1; })) << "the sender goes on without it";
}

TEST(PublishSubscribeDescriptors, of_a_frozen_subscriber_are_bounded_and_a_send_says_what_holds_it_up) {
  if (!OrdinaryUser::can_be()) GTEST_SKIP() << "only root can become another user";
  const OrdinaryUser user;
  const auto frozen = user.peer({"sub s lane depth=1000", "sub lossy lossy depth=2 overflow=drop-oldest"});
  const auto sender = user.peer({"pub p lane send_timeout=50 budget=500000", "pub q lossy budget=500000"});
  frozen->freeze();
  const std::uint64_t before = number(*sender, "descriptors");
  // Memory of ever other sizes, within a small budget, so that what is given back and made anew must be handed over again.
  std::uint64_t sent = 0;
  std::string held_up;
  for (int i = 1; i <= 400; ++i) {
    const std::string line = sender->ask("send q " + std::to_string(1000 * (1 + i % 97)) + " 1");
    EXPECT_TRUE(line.starts_with("ok")) << "who may lose samples holds nobody up: " << line;
  }
  for (int i = 1; i <= 400 && held_up.empty(); ++i) {
    const std::string line = sender->ask("send p " + std::to_string(1000 * (1 + i % 97)) + " 1");
    if (line.starts_with("ok")) {
      ++sent;
    } else {
      held_up = line;
    }
  }
  EXPECT_TRUE(held_up.starts_with("error timeout") || held_up.starts_with("error budget-spent")) << held_up;
  EXPECT_LT(number(*sender, "descriptors"), before + 200);
  frozen->thaw();
  for (std::uint64_t i = 0; i < sent; ++i)
    EXPECT_TRUE(answer(*frozen, "take s 30000").starts_with(std::to_string(i + 1)));
  EXPECT_EQ(answer(*sender, "flush p 30000"), "yes");
  EXPECT_EQ(number(*sender, "send p 5000 1"), 1U);
}

}  // namespace
}  // namespace memlane::limits
