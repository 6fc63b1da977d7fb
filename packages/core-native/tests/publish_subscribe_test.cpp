// Publisher and subscriber in one process: what is sent arrives, whole, in order, with what travels beside it.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"
#include "support/expect_error.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using test::fill;
using test::is_payload;
using test::patience;
using test::payload;

TEST(PublishSubscribe, a_loan_arrives_where_it_was_written) {
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  auto loan = publisher.loan<std::uint16_t>({4, 3});
  for (std::size_t i = 0; i < 12; ++i) loan[i] = static_cast<std::uint16_t>(i * i);
  EXPECT_EQ(publisher.send(std::move(loan)), 1U);

  const auto sample = subscriber.take(patience);
  ASSERT_TRUE(sample);
  const auto array = sample->as_array<std::uint16_t>();
  EXPECT_EQ(array.shape(), Shape({4, 3}));
  EXPECT_EQ(array(3, 2), 121);
  EXPECT_EQ(sample->dtype(), DType::uint16);
  EXPECT_EQ(sample->size(), 24U);
}

TEST(PublishSubscribe, each_subscriber_gets_each_sample_of_each_publisher_in_order) {
  std::vector<Publisher> publishers;
  std::vector<Subscriber> subscribers;
  for (int i = 0; i < 3; ++i) publishers.emplace_back("lane");
  for (int i = 0; i < 3; ++i) subscribers.emplace_back("lane", SubscriberOptions{.depth = 64});
  for (std::uint64_t round = 1; round <= 50; ++round) {
    for (std::size_t p = 0; p < 3; ++p) EXPECT_EQ(publishers[p].send_copy(payload(100 + round, round * 3 + p)), 3U);
  }
  for (auto& subscriber : subscribers) {
    std::map<std::string, std::uint64_t> last;
    for (int i = 0; i < 150; ++i) {
      const auto sample = subscriber.take(patience);
      ASSERT_TRUE(sample);
      EXPECT_EQ(sample->sequence(), ++last[sample->sender().id]);
      EXPECT_EQ(sample->size(), 100 + sample->sequence());
    }
    EXPECT_EQ(last.size(), 3U);
    EXPECT_FALSE(subscriber.take());
  }
}

TEST(PublishSubscribe, nobody_there_is_no_error) {
  Publisher publisher("lane");
  EXPECT_EQ(publisher.send_copy(payload(10, 1)), 0U);
  EXPECT_EQ(publisher.stats().sent, 1U);
  Subscriber late("lane");
  EXPECT_EQ(publisher.send_copy(payload(10, 2)), 1U);
  EXPECT_EQ(late.take(patience)->sequence(), 2U);
}

TEST(PublishSubscribe, carries_sizes_from_nothing_to_many_pages) {
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  for (const std::size_t size :
       {0UL, 1UL, 63UL, 64UL, 65UL, 255UL, 256UL, 4095UL, 4096UL, 4097UL, 65536UL, 1'000'003UL, 9'000'000UL}) {
    SCOPED_TRACE(size);
    EXPECT_EQ(publisher.send_copy(payload(size, size)), 1U);
    const auto sample = subscriber.take(patience);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->size(), size);
    EXPECT_TRUE(is_payload(sample->bytes(), size));
  }
}

TEST(PublishSubscribe, an_encoding_and_a_header_travel_beside_the_payload) {
  Publisher publisher("lane", {.label = "the camera"});
  Subscriber subscriber("lane");
  const auto header = payload(64, 5);
  const auto before = detail::platform::monotonic_now();
  publisher.send_copy(payload(100, 1), {.encoding = "arrow-ipc", .user_header = header});
  publisher.send_copy(payload(100, 2));
  const auto sample = subscriber.take(patience);
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->encoding(), "arrow-ipc");
  EXPECT_TRUE(is_payload(sample->user_header(), 5));
  EXPECT_EQ(sample->user_header().size(), 64U);
  EXPECT_TRUE(is_payload(sample->bytes(), 1));
  EXPECT_GE(sample->sent_time(), before);
  EXPECT_LE(sample->sent_time(), sample->received_time());
  EXPECT_EQ(sample->sender().label, "the camera");
  EXPECT_EQ(sample->sender().pid, ::getpid());
  const auto bare = subscriber.take(patience);
  EXPECT_EQ(bare->encoding(), "");
  EXPECT_TRUE(bare->user_header().empty());
  EXPECT_EQ(bare->sender().id, sample->sender().id);
}

TEST(PublishSubscribe, several_loans_can_be_out_and_are_sent_in_any_order) {
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  std::vector<Loan> loans;
  for (std::uint64_t i = 0; i < 5; ++i) {
    loans.push_back(publisher.loan(1000));
    fill(loans.back().bytes(), i);
  }
  for (const std::size_t i : {3UL, 0UL, 4UL}) publisher.send(std::move(loans[i]));
  loans.clear();
  for (const std::uint64_t i : {3U, 0U, 4U}) EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), i));
  EXPECT_FALSE(subscriber.take());
  EXPECT_EQ(publisher.stats().sent, 3U);
}

TEST(PublishSubscribe, a_loan_is_sent_once) {
  Publisher publisher("lane");
  Publisher other("lane/other");
  Loan loan = publisher.loan(10);
  EXPECT_ERROR(invalid_argument, other.send(std::move(loan)), "belongs to another publisher");
  EXPECT_TRUE(loan);
  publisher.send(std::move(loan));
  EXPECT_FALSE(loan);
  EXPECT_ERROR(already_sent, loan.data(), "sent already");
  EXPECT_ERROR(already_sent, publisher.send(std::move(loan)), "sent already");
  Loan given_up = publisher.loan(10);
  given_up.give_up();
  given_up.give_up();
  EXPECT_ERROR(released, given_up.data(), "given up");
  EXPECT_ERROR(released, publisher.send(std::move(given_up)), "given up");
}

TEST(PublishSubscribe, a_released_sample_says_so) {
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  publisher.send_copy(payload(10, 1));
  auto sample = subscriber.take(patience);
  sample->release();
  sample->release();
  EXPECT_FALSE(*sample);
  EXPECT_ERROR(released, sample->data(), "released");
  EXPECT_ERROR(released, sample->sequence(), "released");
}

TEST(PublishSubscribe, a_sample_is_read_as_what_it_is_only) {
  struct Pose {
    double x, y;
    std::int32_t id;
  };
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  auto poses = publisher.loan<Pose>({2, 3});
  EXPECT_EQ(poses.size(), 6U);
  EXPECT_EQ(poses.shape(), Shape({2, 3}));
  EXPECT_EQ(poses.array().size(), 6U);
  poses.array()(1, 2) = {1, 2, 3};
  publisher.send(std::move(poses));
  publisher.send_copy(std::vector<float>{1, 2, 3}, Shape{3});
  const auto structs = subscriber.take(patience);
  EXPECT_EQ(structs->as_array<Pose>()[5].id, 3);
  EXPECT_ERROR(type_mismatch, structs->as<Pose>(), "bytes long");
  const auto floats = subscriber.take(patience);
  EXPECT_EQ(floats->as_array<float>()[2], 3.0F);
  EXPECT_ERROR(type_mismatch, floats->as_array<double>(), "float32");
  EXPECT_ERROR(invalid_argument, publisher.send_copy(std::vector<float>{1, 2, 3}, Shape{4}), "3");
}

TEST(PublishSubscribe, sizes_beyond_reason_are_errors) {
  Publisher publisher("lane");
  EXPECT_ERROR(out_of_range, publisher.loan(std::uint64_t{1} << 63U), "no machine");
  EXPECT_ERROR(out_of_range, publisher.loan(DType::float64, Shape{std::uint64_t{1} << 61U}), "too many bytes");
  EXPECT_ERROR(invalid_argument, publisher.loan(static_cast<DType>(77), Shape{1}), "dtype");
  EXPECT_ERROR(out_of_memory, publisher.loan(std::uint64_t{1} << 45U), "left");
  EXPECT_ERROR(out_of_range, publisher.reserve(std::uint64_t{1} << 40U, std::size_t{1} << 40U), "times");
  EXPECT_EQ(publisher.send_copy(payload(10, 1)), 0U) << "it goes on";
}

TEST(PublishSubscribe, lanes_do_not_meet) {
  Publisher one("lane/one");
  Publisher key(7);
  Subscriber two("lane/two");
  Subscriber seven("key/7");
  EXPECT_EQ(one.send_copy(payload(1, 1)), 0U);
  EXPECT_EQ(key.send_copy(payload(1, 2)), 1U);
  EXPECT_FALSE(two.take());
  EXPECT_TRUE(seven.take(patience));
}

TEST(PublishSubscribe, ports_in_different_directories_do_not_meet) {
  const auto base = std::filesystem::temp_directory_path() / ("ml-two-" + std::to_string(::getpid()));
  {
    Publisher here("lane");
    Publisher there("lane", {.directory = base / "deep" / "er"});
    Subscriber sub("lane", {.directory = base / "deep" / "er/"});
    EXPECT_EQ(here.send_copy(payload(1, 1)), 0U);
    EXPECT_EQ(there.send_copy(payload(1, 1)), 1U);
  }
  std::filesystem::remove_all(base);
}

}  // namespace
}  // namespace memlane
