// A publisher that lies.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/eventually.hpp"
#include "support/expect_error.hpp"
#include "support/hostile.hpp"
#include "support/payload.hpp"
#include "support/raw_peer.hpp"
#include "support/test_access.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using detail::MessageType;
using detail::PortKind;
using test::Hostile;
using test::patience;
using test::RawPeer;
using test::RawPublisher;

TEST_F(Hostile, an_honest_raw_publisher_is_understood) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  raw.hand_over_segment(1);
  test::fill({raw.payload(), 100}, 5);
  raw.push(RawPublisher::good_descriptor());
  const auto sample = subscriber.take(patience);
  ASSERT_TRUE(sample);
  EXPECT_TRUE(test::is_payload(sample->bytes(), 5));
  EXPECT_EQ(sample->sender().label, "raw");
  EXPECT_EQ(sample->sender().pid, 4711);
}

TEST_F(Hostile, an_invitation_to_another_lane_or_kind_is_refused) {
  const RawPeer peer;
  const std::uint64_t to = subscriber_number();
  std::vector<detail::PortBody> wrong{
      RawPeer::port_body("other", PortKind::publisher), RawPeer::port_body("lane", PortKind::subscriber),
      RawPeer::port_body("lane", PortKind::producer), RawPeer::port_body("lane", static_cast<PortKind>(200))};
  for (const detail::PortBody& body : wrong) {
    peer.say(MessageType::invite, 1, to, body);
    EXPECT_EQ(peer.hear()->type(), MessageType::gone);
    complains(ErrorCode::corrupt, "another lane");
  }
  peer.say(MessageType::invite, 1, to);
  EXPECT_EQ(peer.hear()->type(), MessageType::gone);
  complains(ErrorCode::corrupt, "another lane");
}

TEST_F(Hostile, a_half_that_is_not_what_it_must_be_is_refused) {
  const RawPeer peer;
  std::uint64_t number = 0;
  const auto refused = [&](const std::function<bool(RawPublisher&)>& hand_over, const std::string& words) {
    SCOPED_TRACE(words);
    RawPublisher raw(peer, "lane", subscriber_number(), ++number);
    hand_over(raw);
    const auto answer = peer.hear(MessageType::gone);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.to_port, number);
    EXPECT_NE(detail::get_text(answer->as<detail::GoneBody>().reason).find(words.substr(0, 20)), std::string::npos);
    complains(ErrorCode::corrupt, words);
  };
  const std::uint64_t to = subscriber_number();
  const detail::platform::Bell bell;
  const auto send = [&](RawPublisher& raw, const detail::HalfBody& body, std::initializer_list<int> handles) {
    return peer.say(MessageType::half, raw.number(), to, body, handles);
  };
  const auto spoilt_header = [&](std::size_t word) {
    return [&, word](RawPublisher& raw) {
      reinterpret_cast<std::uint32_t*>(raw.own_half().mapping.data())[word] ^= 1U;
      raw.hand_over_half();
      return true;
    };
  };
  for (const std::size_t word : {0UL, 2UL, 3UL, 4UL}) refused(spoilt_header(word), "wrong header");
  refused([&](RawPublisher& raw) { return send(raw, raw.half_body(), {}); }, "a half for another lane");
  refused([&](RawPublisher& raw) { return send(raw, raw.half_body(), {raw.own_half().handle.get()}); },
          "a half for another lane");
  refused(
      [&](RawPublisher& raw) {
        return send(raw, raw.half_body(), {raw.own_half().handle.get(), bell.write_handle(), 0});
      },
      "a half for another lane");
  refused(
      [&](RawPublisher& raw) {
        return send(raw, raw.half_body(), {raw.own_half().handle.get(), raw.own_half().handle.get()});
      },
      "not a pipe");
  refused([&](RawPublisher& raw) { return send(raw, raw.half_body(), {bell.write_handle(), bell.write_handle()}); },
          "not a regular file");
  refused(
      [&](RawPublisher& raw) {
        detail::HalfBody body = raw.half_body();
        body.bytes = 1ULL << 40U;
        return send(raw, body, {raw.own_half().handle.get(), bell.write_handle()});
      },
      "wrong size");
  refused(
      [&](RawPublisher& raw) {
        detail::HalfBody body = raw.half_body();
        body.port.lane[0] ^= 1U;
        return send(raw, body, {raw.own_half().handle.get(), bell.write_handle()});
      },
      "a half for another lane");
  refused(
      [&](RawPublisher& raw) {
        const auto unsealed = detail::platform::Handle(::memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        EXPECT_EQ(::ftruncate(unsealed.get(), static_cast<off_t>(raw.own_half().mapping.size())), 0);
        return send(raw, raw.half_body(), {unsealed.get(), bell.write_handle()});
      },
      "not sealed");
  refused(
      [&](RawPublisher& raw) {
        raw.hand_over_half();
        raw.hand_over_half();
        return true;
      },
      "a second half");
}

TEST_F(Hostile, a_bell_with_a_name_is_refused) {
  // It may lie in a file system that its owner serves, and never answers for.
  const auto path = std::filesystem::path(::getenv("MEMLANE_DIR")) / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const detail::platform::Handle named(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ASSERT_TRUE(named);
  ASSERT_TRUE(std::filesystem::remove(path));
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  peer.say(MessageType::half, 1, subscriber_number(), raw.half_body(), {raw.own_half().handle.get(), named.get()});
  complains(ErrorCode::corrupt, "not a pipe");
}

TEST_F(Hostile, a_payload_where_a_type_cannot_lie_is_not_read_as_that_type) {
  struct alignas(64) Line {
    std::array<std::byte, 64> bytes;
  };
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  raw.hand_over_segment(1);
  detail::Descriptor descriptor = RawPublisher::good_descriptor();
  descriptor.offset = 16;
  descriptor.length = descriptor.shape[0] = sizeof(Line);
  raw.push(descriptor);
  const auto sample = subscriber.take(patience);
  ASSERT_TRUE(sample);
  const auto refuses = [](auto&& read) { return test::throws_error(ErrorCode::type_mismatch, "multiple of 64", read); };
  EXPECT_TRUE(refuses([&] { static_cast<void>(sample->as<Line>()); }));
  EXPECT_TRUE(refuses([&] { static_cast<void>(sample->as_array<Line>()); }));
}

TEST_F(Hostile, a_description_that_makes_no_sense_ends_its_link_and_no_other) {
  const RawPeer peer;
  std::uint64_t number = 0;
  using Change = std::function<void(detail::Descriptor&)>;
  const std::vector<Change> changes{
      [](auto& d) { d.offset = 4096; },
      [](auto& d) { d.offset = 4000; },
      [](auto& d) { d.offset = ~0ULL; },
      [](auto& d) { d.offset = ~0ULL - 99; },
      [](auto& d) { d.offset = 8; },
      [](auto& d) {
        d.length = 4097;
        d.shape[0] = 4097;
      },
      [](auto& d) { d.length = ~0ULL; },
      [](auto& d) {
        d.offset = 16;
        d.length = ~0ULL - 15;
      },
      [](auto& d) { d.length = 99; },
      [](auto& d) { d.dtype = 16; },
      [](auto& d) { d.dtype = 255; },
      [](auto& d) { d.dtype = 5; },
      [](auto& d) { d.ndim = 9; },
      [](auto& d) { d.ndim = 255; },
      [](auto& d) { d.ndim = 0; },
      [](auto& d) { d.ndim = 2; },
      [](auto& d) {
        d.ndim = 2;
        d.shape[0] = 1ULL << 63U;
        d.shape[1] = 2;
      },
      [](auto& d) {
        d.ndim = 3;
        d.shape[0] = d.shape[1] = d.shape[2] = 1ULL << 32U;
      },
      [](auto& d) {
        d.flags = detail::has_meta;
        d.offset = 4096 - 112;
      },
      [](auto& d) { d.flags = detail::has_meta; },  // the block's lengths are 0xFF
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    RawPublisher raw(peer, "lane", subscriber_number(), ++number);
    raw.hand_over_half();
    raw.hand_over_segment(1);
    std::memset(raw.payload(), 0xFF, 4096);
    detail::Descriptor descriptor = RawPublisher::good_descriptor();
    changes[i](descriptor);
    raw.push(descriptor);
    complains(ErrorCode::corrupt, "process 4711");
    EXPECT_EQ(peer.hear(MessageType::leave)->header.to_port, number);
  }
  EXPECT_EQ(subscriber.stats().broken, changes.size());
  EXPECT_EQ(subscriber.stats().peers, 1U);
}

TEST_F(Hostile, words_of_a_ring_that_cannot_be_end_its_link_and_no_other) {
  const RawPeer peer;
  std::uint64_t number = 0;
  for (const std::uint64_t tail : {std::uint64_t{1000}, ~std::uint64_t{0}}) {
    RawPublisher raw(peer, "lane", subscriber_number(), ++number);
    raw.hand_over_half();
    raw.half().tail = tail;
    complains(ErrorCode::corrupt, "tail");
  }
  RawPublisher raw(peer, "lane", subscriber_number(), ++number);
  raw.hand_over_half();
  raw.hand_over_segment(1);
  raw.push(RawPublisher::good_descriptor());
  EXPECT_TRUE(subscriber.take(patience));
  raw.half().tail = 0;
  complains(ErrorCode::corrupt, "tail");
}

TEST_F(Hostile, words_of_one_ring_that_cannot_be_are_not_held_against_another) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  raw.hand_over_segment(1);
  raw.push(RawPublisher::good_descriptor());
  raw.push(RawPublisher::good_descriptor());
  ASSERT_TRUE(subscriber.take(patience));
  raw.half().tail = 0;  // and the second is known to wait
  EXPECT_NO_THROW(static_cast<void>(subscriber.stats()));
  std::this_thread::sleep_for(110ms);  // the next take writes the counters down, for which it asks every link
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 1U);
  bool honest_one_came = false;
  for (int looks = 0; looks < 4; ++looks) {
    try {
      const auto sample = subscriber.take();
      if (sample && sample->size() == 10) honest_one_came = true;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("process 4711"), std::string::npos) << error.what();
    }
  }
  EXPECT_TRUE(honest_one_came);
  EXPECT_EQ(publisher.stats().peers, 1U);
  EXPECT_EQ(subscriber.stats().broken, 1U);
}

TEST_F(Hostile, memory_that_is_never_handed_over_keeps_nobody_waiting) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  raw.push(RawPublisher::good_descriptor());
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 1U);
  EXPECT_EQ(subscriber.take(patience)->size(), 10U) << "the other publisher's";
  EXPECT_FALSE(subscriber.take(20ms));
  peer.say(MessageType::leave, 1, subscriber_number());
  complains(ErrorCode::corrupt, "never handed over");
}

// What is on its way is given a moment, also by a take that does not wait. Who lets it arrive at the last moment each time gets
// few of them.
TEST_F(Hostile, memory_that_comes_late_each_time_does_not_slow_takes_that_do_not_wait) {
  constexpr std::uint32_t rounds = 200;
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  std::chrono::nanoseconds in_takes{0};
  for (std::uint32_t i = 1; i <= rounds; ++i) {
    detail::Descriptor descriptor = RawPublisher::good_descriptor();
    descriptor.sequence = descriptor.segment = i;
    raw.push(descriptor);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(subscriber.take());
    in_takes += std::chrono::steady_clock::now() - start;
    raw.hand_over_segment(i);
    ASSERT_TRUE(subscriber.take(patience)) << i;
  }
  EXPECT_LT(in_takes, rounds * 50ms / 2) << "each of them waited";
}

// The publisher must not take its memory for its own again as long as somebody reads it, whatever was wrong.
TEST_F(Hostile, a_lie_takes_no_memory_from_samples_that_are_held) {
  const RawPeer peer;
  const std::uint64_t to = subscriber_number();
  std::uint64_t number = 0;
  const std::vector<std::function<void(RawPublisher&)>> lies{
      [](RawPublisher& raw) {
        detail::Descriptor descriptor = RawPublisher::good_descriptor();
        descriptor.dtype = 255;
        raw.push(descriptor);
      },
      [](RawPublisher& raw) { raw.half().tail = 1000; },
      [](RawPublisher& raw) { raw.hand_over_segment(1); },
      [](RawPublisher& raw) { raw.hand_over_half(); },
      [&](RawPublisher& raw) { peer.say(MessageType::closing, raw.number(), to); },
  };
  for (std::size_t i = 0; i < lies.size(); ++i) {
    SCOPED_TRACE(i);
    RawPublisher raw(peer, "lane", to, ++number);
    raw.hand_over_half();
    raw.hand_over_segment(1);
    test::fill({raw.payload(), 100}, 5);
    raw.push(RawPublisher::good_descriptor());
    std::optional<Sample> held = subscriber.take(patience);
    ASSERT_TRUE(held);
    lies[i](raw);
    complains(ErrorCode::corrupt, "process 4711");
    EXPECT_EQ(peer.hear()->type(), MessageType::closing) << "nothing more is taken";
    raw.hand_over_segment(1);  // another lie, of a link that is over
    peer.say(MessageType::invite, 5, 999, RawPeer::port_body("lane", PortKind::publisher));
    EXPECT_EQ(peer.hear()->header.to_port, 5U) << "and nothing more is said";
    EXPECT_TRUE(test::is_payload(held->bytes(), 5));
    EXPECT_EQ(subscriber.stats().held, 1U);
    EXPECT_EQ(subscriber.stats().peers, 1U);
    held.reset();
    const auto end = peer.hear();
    EXPECT_TRUE(end->type() == MessageType::leave || end->type() == MessageType::gone);
    EXPECT_EQ(end->header.to_port, number);
    EXPECT_EQ(subscriber.stats().broken, number) << "told once";
  }
}

TEST_F(Hostile, a_lie_takes_no_memory_from_samples_that_are_held_of_a_publisher_that_goes_on) {
  Publisher spoilt("lane");
  const auto send = [&](std::uint64_t seed) {
    Loan loan = spoilt.loan(3000);
    test::fill(loan.bytes(), seed);
    std::byte* const at = loan.data();
    spoilt.send(std::move(loan));
    return at;
  };
  std::byte* const first = send(1);
  std::optional<Sample> held = subscriber.take(patience);
  ASSERT_TRUE(held);
  send(2);
  reinterpret_cast<detail::Descriptor*>(detail::TestAccess::last_descriptor(spoilt.port()))->dtype = 255;
  complains(ErrorCode::corrupt, "makes no sense");
  EXPECT_TRUE(test::eventually([&] { return spoilt.stats().peers == 0; }));
  std::vector<Loan> loans;
  for (int i = 0; i < 20; ++i) {
    loans.push_back(spoilt.loan(3000));
    EXPECT_NE(loans.back().data(), first);
    test::fill(loans.back().bytes(), 100);
  }
  EXPECT_TRUE(test::is_payload(held->bytes(), 1));
  held.reset();
  EXPECT_TRUE(spoilt.flush(patience)) << "what was held has gone back";
}

TEST_F(Hostile, memory_that_died_with_its_sender_is_a_drop) {
  {
    const RawPeer peer;
    RawPublisher raw(peer, "lane", subscriber_number(), 1);
    raw.hand_over_half();
    raw.push(RawPublisher::good_descriptor());
    EXPECT_FALSE(subscriber.take(20ms));
  }
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 1U);
  EXPECT_EQ(subscriber.take(patience)->size(), 10U);
  EXPECT_TRUE(test::eventually([&] { return !subscriber.take() && subscriber.stats().peers == 1; }));
  EXPECT_EQ(subscriber.stats().dropped, 1U);
  EXPECT_EQ(subscriber.stats().broken, 0U);
}

TEST_F(Hostile, segments_that_are_not_what_they_must_be_end_their_link) {
  const RawPeer peer;
  const std::uint64_t to = subscriber_number();
  std::uint64_t number = 0;
  const auto refused = [&](const std::function<void(RawPublisher&)>& act, const std::string& words) {
    SCOPED_TRACE(words);
    RawPublisher raw(peer, "lane", to, ++number);
    raw.hand_over_half();
    act(raw);
    complains(ErrorCode::corrupt, words);
  };
  refused(
      [&](auto& raw) {
        raw.hand_over_segment(1);
        raw.hand_over_segment(1);
      },
      "announced twice");
  refused([&](auto& raw) { peer.say(MessageType::segment, raw.number(), to, detail::SegmentBody{1, 0, 4096}); },
          "without its memory");
  refused([&](auto& raw) { peer.say(MessageType::segment, raw.number(), to, detail::SegmentBody{1, 0, 4096}, {0, 0}); },
          "without its memory");
  refused(
      [&](auto& raw) {
        peer.say(MessageType::segment, raw.number(), to, detail::SegmentBody{1, 0, 1ULL << 62U},
                 {raw.own_half().handle.get()});
      },
      "size");
  refused(
      [&](auto& raw) {
        peer.say(MessageType::segment, raw.number(), to, detail::SegmentBody{1, 0, 4096}, {raw.bell().get()});
      },
      "not a regular file");
  refused([&](auto& raw) { peer.say(MessageType::segment_drop, raw.number(), to); }, "no sender sends");
  refused([&](auto& raw) { peer.say(MessageType::closing, raw.number(), to); }, "no sender sends");
  refused([&](auto& raw) { peer.say(static_cast<MessageType>(999), raw.number(), to); }, "no sender sends");
}

TEST_F(Hostile, a_storm_of_rings_and_a_blocking_bell_stop_nobody) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  ::fcntl(raw.bell().get(), F_SETFL, 0);
  const detail::platform::ForeignBell bell(detail::platform::Handle(::fcntl(raw.bell().get(), F_DUPFD_CLOEXEC, 0)));
  for (int i = 0; i < 50'000; ++i) bell.ring();
  EXPECT_FALSE(subscriber.take(5ms));
  for (int i = 0; i < 1000; ++i) {
    bell.ring();
    publisher.send_copy(test::payload(1, 1));
    ASSERT_TRUE(subscriber.take(patience));
  }
}

TEST_F(Hostile, a_full_bell_that_would_block_whoever_rings_with_it_is_not_the_owners) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  static_cast<void>(subscriber.fileno());  // from now on it rings for itself
  const detail::platform::ForeignBell bell(detail::platform::Handle(::fcntl(raw.bell().get(), F_DUPFD_CLOEXEC, 0)));
  for (int i = 0; i < 5000; ++i) bell.ring();
  ASSERT_EQ(::fcntl(raw.bell().get(), F_SETFL, 0), 0);
  subscriber.stop();
  EXPECT_FALSE(subscriber.take(5ms));
}

}  // namespace
}  // namespace memlane
