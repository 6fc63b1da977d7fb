// A subscriber that lies.
#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>

#include "support/eventually.hpp"
#include "support/hostile.hpp"
#include "support/payload.hpp"
#include "support/raw_peer.hpp"

namespace memlane {
namespace {

using detail::MessageType;
using detail::PortKind;
using test::eventually;
using test::Hostile;
using test::patience;
using test::RawPeer;
using test::RawSubscriber;

TEST_F(Hostile, a_receivers_half_that_is_not_what_it_must_be_is_refused) {
  const RawPeer peer;
  const std::uint64_t to = publisher_number();
  std::uint64_t number = 0;
  const detail::platform::Bell bell;
  const auto half = detail::make_receiver_half(4);
  const auto refused = [&](const std::function<void(detail::HalfBody&)>& change, std::initializer_list<int> handles) {
    detail::HalfBody body{};
    body.port = RawPeer::port_body("lane", PortKind::subscriber, 4);
    body.bytes = half.mapping.size();
    change(body);
    peer.say(MessageType::half, ++number, to, body, handles);
    const auto answer = peer.hear(MessageType::gone);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.to_port, number);
    EXPECT_EQ(answer->as<detail::GoneBody>().code, static_cast<std::uint32_t>(ErrorCode::corrupt));
  };
  const auto nothing = [](auto&) {};
  const int memory = half.handle.get();
  const int ring = bell.write_handle();
  refused([](auto& body) { body.port.depth = 0; }, {memory, ring});
  refused([](auto& body) { body.port.depth = 65537; }, {memory, ring});
  refused([](auto& body) { body.port.depth = 0xFFFFFFFF; }, {memory, ring});
  refused([](auto& body) { body.port.depth = 5000; }, {memory, ring});
  refused([](auto& body) { body.port.overflow = 4; }, {memory, ring});
  refused([](auto& body) { body.port.lane[1] ^= 1U; }, {memory, ring});
  refused([](auto& body) { body.port.kind = 1; }, {memory, ring});
  refused([](auto& body) { body.bytes = 0; }, {memory, ring});
  refused([](auto& body) { body.bytes = ~0ULL; }, {memory, ring});
  refused(nothing, {memory});
  refused(nothing, {});
  refused(nothing, {ring, ring});
  refused(nothing, {memory, memory});
  refused(nothing, {memory, ring, ring});
  EXPECT_EQ(publisher.stats().peers, 1U);
  EXPECT_EQ(publisher.stats().broken, number);
}

TEST_F(Hostile, a_receivers_words_that_cannot_be_end_its_link_and_give_its_memory_back) {
  const RawPeer peer;
  const std::uint64_t to = publisher_number();
  std::uint64_t number = 0;
  std::uint64_t broken = 0;
  const auto breaks = [&](const std::function<void(RawSubscriber&)>& lie) {
    SCOPED_TRACE(number);
    RawSubscriber raw(peer, "lane", to, ++number);
    ASSERT_TRUE(publisher.wait_for_subscribers(2, patience));
    EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 2U);
    lie(raw);
    EXPECT_TRUE(eventually([&] { return publisher.stats().peers == 1; }));
    EXPECT_EQ(publisher.stats().broken, ++broken);
    EXPECT_EQ(peer.hear(MessageType::gone)->header.to_port, number);
    ASSERT_TRUE(subscriber.take(patience));
    EXPECT_EQ(publisher.stats().waiting, 0U);
  };
  breaks([](auto& raw) { raw.give_back(0, 0); });  // before it was taken
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(0, 77);
  });
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(5, 0);
  });
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(~0ULL, 0);
  });
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(0, ~0ULL);
  });
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(0, 0);
    raw.give_back(0, 0);
  });
  breaks([](auto& raw) { raw.half().returns_tail = 1000; });
  breaks([](auto& raw) { raw.half().returns_tail = ~0ULL; });
  breaks([&](auto&) { peer.say(MessageType::returns, number, to, detail::ReturnsBody{0, 0}); });
  breaks([&](auto&) { peer.say(MessageType::returns, number, to, test::payload(15, 1)[0]); });
  breaks([&](auto&) { peer.say(MessageType::segment, number, to, detail::SegmentBody{1, 0, 4096}, {0}); });
}

TEST_F(Hostile, a_head_that_runs_away_is_found_by_the_next_send) {
  const RawPeer peer;
  RawSubscriber raw(peer, "lane", publisher_number(), 1, 1);
  ASSERT_TRUE(publisher.wait_for_subscribers(2, patience));
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 2U);
  raw.half().head = 500;
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 1U);
  EXPECT_EQ(publisher.stats().broken, 1U);
  EXPECT_TRUE(subscriber.take(patience));
  EXPECT_TRUE(subscriber.take(patience));
}

TEST_F(Hostile, many_sample_yields_of_a_receiver_that_lies_cost_no_more_than_its_own) {
  const RawPeer peer;
  RawSubscriber raw(peer, "lane", publisher_number(), 1, 2, Overflow::drop_oldest);
  ASSERT_TRUE(publisher.wait_for_subscribers(2, patience));
  for (int i = 0; i < 10; ++i) {
    publisher.send_copy(test::payload(10, 1));
    ASSERT_TRUE(subscriber.take(patience));
  }
  raw.half().head = 10;
  for (std::uint64_t i = 0; i < 10; ++i) raw.give_back(i, detail::return_yielded);
  EXPECT_TRUE(eventually([&] { return publisher.stats().waiting == 0; }));
  EXPECT_EQ(publisher.stats().peers, 2U);
}

TEST_F(Hostile, yields_beyond_what_was_sent_end_the_link) {
  const RawPeer peer;
  RawSubscriber raw(peer, "lane", publisher_number(), 1, 2, Overflow::drop_oldest);
  ASSERT_TRUE(publisher.wait_for_subscribers(2, patience));
  publisher.send_copy(test::payload(10, 1));
  ASSERT_TRUE(subscriber.take(patience));
  raw.half().head = 1;
  for (std::uint64_t i = 0; i < 2; ++i) raw.give_back(0, detail::return_yielded);
  EXPECT_TRUE(eventually([&] { return publisher.stats().peers == 1; }));
  EXPECT_EQ(publisher.stats().broken, 1U);
}

}  // namespace
}  // namespace memlane
