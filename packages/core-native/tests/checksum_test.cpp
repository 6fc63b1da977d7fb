// Checksums of samples: what is whole arrives as without them, and whatever has changed since it was sent ends its link.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"
#include "support/expect_error.hpp"
#include "support/payload.hpp"
#include "support/raw_peer.hpp"
#include "support/test_access.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using detail::Descriptor;
using detail::TestAccess;
using test::is_payload;
using test::patience;
using test::payload;
using test::RawPeer;
using test::RawPublisher;

void flip(std::byte* at, std::size_t bit) {
  at[bit / 8] ^= std::byte{static_cast<std::uint8_t>(1U << bit % 8)};
}

/// Sends a payload; what is returned points to it, where the publisher could write to it by mistake.
std::byte* send(Publisher& publisher, std::size_t bytes, std::uint64_t seed, const SendInfo& info = {}) {
  Loan loan = publisher.loan(bytes);
  test::fill(loan.bytes(), seed);
  std::byte* const at = loan.data();
  publisher.send(std::move(loan), info);
  return at;
}

TEST(Checksum, of_what_is_whole_is_right) {
  Publisher publisher("lane", {.checksum = true});
  Subscriber subscriber("lane");
  for (const std::size_t size : {0U, 1U, 64U, 999U, 100'000U, 5'000'000U}) {
    publisher.send_copy(payload(size, size), {.encoding = size % 2 == 0 ? "" : "odd"});
    const auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample) << size;
    EXPECT_TRUE(is_payload(sample->bytes(), size));
    EXPECT_EQ(sample->encoding(), size % 2 == 0 ? "" : "odd");
  }
  auto array = publisher.loan<float>({3, 5, 7});
  std::ranges::fill(array, 2.5F);
  publisher.send(std::move(array), {.user_header = payload(64, 1)});
  const auto sample = subscriber.take(patience);
  EXPECT_EQ(sample->as_array<float>().shape(), (Shape{3, 5, 7}));
  EXPECT_TRUE(is_payload(sample->user_header(), 1));
  EXPECT_EQ(subscriber.stats().broken, 0U);
}

TEST(Checksum, is_that_of_the_page_on_the_layout_and_there_if_asked_for_only) {
  for (const bool asked : {true, false}) {
    Publisher publisher("lane", {.checksum = asked});
    Subscriber subscriber("lane");
    publisher.send_copy(payload(300, 4), {.encoding = "e"});
    const auto delivery = subscriber.port().take(patience);
    ASSERT_TRUE(delivery);
    EXPECT_EQ(subscriber.port().checks(), asked);
    Descriptor descriptor = delivery->sample.descriptor;
    const std::uint32_t checksum = descriptor.checksum;
    if (asked) {
      descriptor.ticket = descriptor.checksum = 0;
      std::vector<std::byte> all = payload(300, 4);
      const auto append = [&](const auto& part) {
        const auto bytes = std::as_bytes(std::span(&part, 1));
        all.insert(all.end(), bytes.begin(), bytes.end());
      };
      append(delivery->sample.meta);
      append(descriptor);
      EXPECT_EQ(checksum, detail::crc32c(all));
    } else {
      EXPECT_EQ(checksum, 0U);
    }
    subscriber.port().release(*delivery);
  }
}

// The copy may be torn then, and is what was sent.
TEST(Checksum, is_that_of_the_copy_where_somebody_writes_to_its_source) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "this test is about a race";
#endif
  Publisher publisher("lane", {.checksum = true});
  Subscriber subscriber("lane");
  std::vector<std::uint64_t> source(200'000);
  std::atomic<std::uint64_t> written = 0;
  const std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (std::uint64_t& word : source) std::atomic_ref(word).store(++written, std::memory_order_relaxed);
    }
  });
  int overtaken = 0;
  EXPECT_TRUE(test::eventually([&] {
    const std::uint64_t before = written;
    publisher.send_copy(std::as_bytes(std::span(source)));
    if (written - before > 1000) ++overtaken;
    return !subscriber.take(patience) || overtaken == 20;
  }));
  EXPECT_EQ(overtaken, 20);
}

TEST(Checksum, is_that_of_what_was_written_over_a_copy_before_it_was_sent) {
  Publisher publisher("lane", {.checksum = true});
  Subscriber subscriber("lane", {.depth = 1, .overflow = Overflow::fail});
  const auto copy = [&] { return publisher.loan_copy(DType::uint8, {10, 100}, payload(1000, 1)); };
  Loan loan = copy();
  test::fill(loan.bytes(), 2);
  publisher.send(std::move(loan));
  Loan moved = copy();
  EXPECT_ERROR(queue_full, publisher.send(std::move(moved)), "full");
  EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), 2));
  EXPECT_TRUE(is_payload(moved.bytes(), 1));
  test::fill(moved.bytes(), 3);
  publisher.send(std::move(moved));
  EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), 3));
  Loan again = copy();
  publisher.send(copy());
  EXPECT_ERROR(queue_full, publisher.send(std::move(again)), "full");
  EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), 1));
  publisher.send(std::move(again));
  EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), 1));
  EXPECT_ERROR(invalid_argument, publisher.loan_copy(DType::float32, {10, 100}, payload(1000, 1)),
               "an array of 10x100 float32 has 4000 bytes, the data has 1000");
}

TEST(Checksum, goes_with_the_history) {
  Publisher publisher("lane", {.history = 3, .checksum = true});
  std::vector<std::byte*> sent;
  for (std::uint64_t i = 1; i <= 5; ++i) sent.push_back(send(publisher, 1000, i));
  Subscriber late("lane");
  for (std::uint64_t i = 3; i <= 5; ++i) EXPECT_TRUE(is_payload(late.take(patience)->bytes(), i));
  flip(sent[4], 77);
  Subscriber later("lane");
  EXPECT_TRUE(is_payload(later.take(patience)->bytes(), 3));
  EXPECT_TRUE(is_payload(later.take(patience)->bytes(), 4));
  EXPECT_ERROR(corrupt, later.take(patience), "sample 5 does not match its checksum");
}

TEST(Checksum, goes_with_what_drop_oldest_leaves) {
  Publisher publisher("lane", {.checksum = true});
  Subscriber latest("lane", {.depth = 2, .overflow = Overflow::drop_oldest});
  for (std::uint64_t i = 1; i <= 50; ++i) publisher.send_copy(payload(500, i));
  EXPECT_TRUE(is_payload(latest.take(patience)->bytes(), 49));
  EXPECT_TRUE(is_payload(latest.take(patience)->bytes(), 50));
  EXPECT_EQ(latest.stats().dropped, 48U);
}

// One link for each bit: it does not outlive it.
TEST(Checksum, finds_every_bit_that_is_flipped_between_send_and_take) {
  constexpr std::size_t bytes = 100;
  constexpr std::size_t meta = 128;  // where the MetaBlock of so many lies
  std::size_t found = 0;
  std::size_t flips = 0;
  Subscriber subscriber("lane");
  const auto look = [&](const std::string& where, std::size_t bit, auto&& turn) {
    SCOPED_TRACE(where + ", bit " + std::to_string(bit));
    Publisher publisher("lane", {.checksum = true});
    std::byte* const at = send(publisher, bytes, bit, {.encoding = "text", .user_header = payload(9, 9)});
    turn(publisher, at);
    ++flips;
    const std::uint64_t received = subscriber.stats().received;
    try {
      const auto sample = subscriber.take();
      EXPECT_FALSE(sample) << "a sample that is not what was sent was shown";
      publisher.close();  // a segment that is not known is waited for: it may be on the way
      static_cast<void>(subscriber.take_until_idle(patience));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt);
      ++found;
    }
    EXPECT_EQ(subscriber.stats().received, received);
  };
  for (std::size_t bit = 0; bit < bytes * 8; bit += 3)
    look("payload", bit, [&](Publisher&, std::byte* at) { flip(at, bit); });
  for (std::size_t bit = 0; bit < sizeof(detail::MetaBlock) * 8; bit += 3)
    look("meta", bit, [&](Publisher&, std::byte* at) { flip(at + meta, bit); });
  for (std::size_t bit = 0; bit < sizeof(Descriptor) * 8; ++bit) {
    if (bit / 8 - offsetof(Descriptor, ticket) < sizeof(Descriptor::ticket)) continue;  // the sender's own
    look("descriptor", bit,
         [&](Publisher& publisher, std::byte*) { flip(TestAccess::last_descriptor(publisher.port()), bit); });
  }
  EXPECT_EQ(found, flips);
  EXPECT_EQ(subscriber.stats().broken, flips);
}

TEST(Checksum, that_does_not_match_ends_its_link_and_no_other) {
  Publisher honest("lane", {.label = "honest"});
  Publisher other("lane", {.checksum = true});
  Publisher spoilt("lane", {.checksum = true});
  Subscriber subscriber("lane");
  flip(send(spoilt, 3000, 1), 12'345);
  send(spoilt, 3000, 2);
  EXPECT_ERROR(corrupt, subscriber.take(patience),
               "the link to the publisher in process " + std::to_string(::getpid()) +
                   " on lane \"lane\" was dropped: sample 1 does not match its checksum");
  EXPECT_FALSE(subscriber.take()) << "nothing more of it is taken";
  EXPECT_TRUE(test::eventually([&] { return spoilt.stats().peers == 0; }));
  EXPECT_EQ(spoilt.stats().waiting, 0U) << "what it had sent is its own again";
  send(honest, 10, 3);
  send(other, 10, 4);
  EXPECT_TRUE(subscriber.take(patience));
  EXPECT_TRUE(subscriber.take(patience));
  const SubscriberStats stats = subscriber.stats();
  EXPECT_EQ(stats.broken, 1U);
  EXPECT_EQ(stats.received, 2U);
  EXPECT_EQ(stats.bytes, 20U);
  EXPECT_EQ(stats.peers, 2U);
  EXPECT_EQ(stats.held, 0U);
}

TEST(Checksum, is_looked_at_when_the_sender_has_left) {
  Subscriber subscriber("lane");
  {
    Publisher gone("lane", {.checksum = true});
    send(gone, 200, 1);
    flip(send(gone, 200, 2), 5);
  }
  EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), 1));
  EXPECT_ERROR(corrupt, subscriber.take(patience), "sample 2 does not match");
  EXPECT_FALSE(subscriber.take_until_idle(patience));
}

TEST(Checksum, that_does_not_match_takes_no_memory_from_samples_that_are_held) {
  Publisher publisher("lane", {.checksum = true});
  Subscriber subscriber("lane");
  std::byte* const first = send(publisher, 3000, 1);
  flip(send(publisher, 3000, 2), 9);
  std::optional<Sample> held = subscriber.take(patience);
  EXPECT_ERROR(corrupt, subscriber.take(patience), "sample 2");
  EXPECT_TRUE(test::eventually([&] { return publisher.stats().peers == 0 && publisher.stats().waiting == 1; }));
  EXPECT_TRUE(subscriber.idle());
  std::vector<Loan> loans;
  for (int i = 0; i < 20; ++i) {
    loans.push_back(publisher.loan(3000));
    EXPECT_NE(loans.back().data(), first);
    test::fill(loans.back().bytes(), 100);
  }
  EXPECT_TRUE(is_payload(held->bytes(), 1));
  EXPECT_EQ(subscriber.stats().held, 1U);
  held.reset();
  EXPECT_TRUE(publisher.flush(patience)) << "what was held has gone back";
  EXPECT_EQ(subscriber.stats().held, 0U);
}

TEST(Checksum, that_does_not_match_is_told_once_to_many_threads) {
  constexpr std::uint64_t samples = 400;
  Publisher publisher("lane", {.checksum = true});
  Subscriber subscriber("lane", {.depth = samples});
  std::vector<std::byte*> sent;
  for (std::uint64_t i = 1; i <= samples; ++i) sent.push_back(send(publisher, 2000, i));
  for (std::size_t i = 200; i < samples; ++i) flip(sent[i], i);
  publisher.close();
  std::atomic<std::uint64_t> whole = 0;
  std::atomic<std::uint64_t> told = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        try {
          const auto sample = subscriber.take_until_idle(patience);
          if (!sample) return;
          EXPECT_TRUE(is_payload(sample->bytes(), sample->sequence()));
          ++whole;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::corrupt) << error.what();
          ++told;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(whole, 200U);
  EXPECT_EQ(told, 1U);
  EXPECT_EQ(subscriber.stats().broken, 1U);
  EXPECT_EQ(subscriber.stats().received, 200U);
  EXPECT_EQ(subscriber.stats().held, 0U);
}

TEST(Checksum, that_does_not_match_is_told_once_where_several_threads_meet_one_at_the_same_moment) {
  Publisher publisher("lane", {.checksum = true});
  Subscriber subscriber("lane");
  for (std::uint64_t i = 1; i <= 3; ++i) send(publisher, 100, i);
  auto& port = subscriber.port();
  const auto first = TestAccess::take_unchecked(port);
  const auto second = TestAccess::take_unchecked(port);
  TestAccess::reject(port, first);
  TestAccess::reject(port, second);
  EXPECT_ERROR(corrupt, subscriber.take(patience), "sample 1");
  EXPECT_FALSE(subscriber.take());
  EXPECT_EQ(subscriber.stats().broken, 1U);
  EXPECT_EQ(subscriber.stats().held, 0U);
  EXPECT_EQ(subscriber.stats().received, 0U);
  EXPECT_TRUE(publisher.flush(patience));
}

TEST(Checksum, is_computed_by_many_threads_that_send) {
  Publisher publisher("lane", {.checksum = true});
  Subscriber subscriber("lane", {.depth = 4});
  std::vector<std::jthread> threads;
  for (std::uint64_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t i = 0; i < 200; ++i) send(publisher, 5000, thread);
    });
  }
  for (std::uint64_t expected = 1; expected <= 600; ++expected) {
    const auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample);
    ASSERT_EQ(sample->sequence(), expected);
  }
}

// Whatever the moment: the sample comes, or the take says that the port is closed; and nothing stays (a listener looks).
TEST(Checksum, is_looked_at_while_another_thread_closes_the_port) {
  for (int round = 0; round < 30; ++round) {
    Publisher publisher("lane", {.checksum = true});
    Subscriber subscriber("lane");
    flip(send(publisher, 1'000'000, 1), 4'000'000);
    std::jthread taker([&] {
      try {
        EXPECT_FALSE(subscriber.take(patience));
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == ErrorCode::corrupt || error.code() == ErrorCode::closed) << error.what();
      }
    });
    std::this_thread::sleep_for(round * 20us);
    subscriber.close();
    taker.join();
    EXPECT_TRUE(test::eventually([&] { return publisher.stats().peers == 0 && publisher.stats().waiting == 0; }));
  }
}

// The sender is not blamed for what this process wrote over: an extension in C that knows no read-only memory.
TEST(Checksum, does_not_suffer_from_what_the_receiver_wrote_over_itself) {
  Publisher publisher("lane", {.checksum = true});
  Subscriber subscriber("lane", {.writable_view = true});
  std::byte* const first = send(publisher, 1'000'000, 1);
  {
    const auto sample = subscriber.take(patience);
    auto* const stray = const_cast<std::byte*>(sample->guarded_data());
    std::fill_n(stray, 300'000, std::byte{0xEE});
  }
  EXPECT_TRUE(publisher.flush(patience));
  EXPECT_EQ(send(publisher, 1'000'000, 2), first) << "this test is about the same memory";
  const auto sample = subscriber.take(patience);
  ASSERT_TRUE(sample);
  EXPECT_TRUE(is_payload(sample->bytes(), 2));
  flip(send(publisher, 1'000'000, 3), 5);
  EXPECT_ERROR(corrupt, subscriber.take(patience), "sample 3");
}

TEST(Checksum, is_agreed_at_the_door) {
  Subscriber subscriber("lane");
  const RawPeer peer;
  const std::uint64_t to = peer.ports("lane", detail::PortKind::subscriber).at(0);
  std::uint64_t number = 0;
  const auto handed_over = [&](std::uint8_t checksum, RawPublisher& raw) {
    detail::HalfBody body = raw.half_body();
    body.port.checksum = checksum;
    const detail::platform::Bell bell;
    peer.say(detail::MessageType::half, raw.number(), to, body, {raw.own_half().handle.get(), bell.write_handle()});
    raw.hand_over_segment(1);
  };
  {
    RawPublisher raw(peer, "lane", to, ++number);
    handed_over(1, raw);
    raw.push(RawPublisher::good_descriptor());
    EXPECT_ERROR(corrupt, subscriber.take(patience), "does not match its checksum");
  }
  {
    RawPublisher raw(peer, "lane", to, ++number);
    handed_over(1, raw);
    Descriptor descriptor = RawPublisher::good_descriptor();
    test::fill({raw.payload(), 100}, 1);
    descriptor.checksum = detail::sample_checksum(descriptor, detail::crc32c({raw.payload(), 100}));
    raw.push(descriptor);
    EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), 1));
  }
  RawPublisher raw(peer, "lane", to, ++number);
  handed_over(2, raw);
  EXPECT_ERROR(corrupt, subscriber.take(patience), "impossible options");
}

}  // namespace
}  // namespace memlane
