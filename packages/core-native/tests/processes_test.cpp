// Ports of different processes: they meet, exchange, come and go in any order.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/child_process.hpp"
#include "support/expect_error.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using test::patience;
using test::payload;
using test::Peer;

TEST(Processes, exchange_both_ways) {
  Publisher publisher("to/peer");
  Peer peer({"sub s to/peer", "pub p from/peer label=the-peer"});
  Subscriber subscriber("from/peer");
  for (std::uint64_t i = 1; i <= 15; ++i) EXPECT_EQ(publisher.send_copy(payload(i * 1000, i)), 1U);
  EXPECT_EQ(peer.ask("drain s 11"), "ok 11");
  EXPECT_EQ(peer.ask("drain s 4"), "ok 15");
  EXPECT_EQ(peer.ask("send p 5000 1 10"), "ok 10");
  for (std::uint64_t i = 1; i <= 10; ++i) {
    const auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->sequence(), i);
    EXPECT_TRUE(test::is_payload(sample->bytes(), i));
    EXPECT_EQ(sample->sender().label, "the-peer");
    EXPECT_EQ(sample->sender().pid, peer.pid());
  }
  EXPECT_EQ(peer.wait(), 0);
}

}  // namespace
}  // namespace memlane
