// Who outlives whom: samples and loans after their ports, memory after its use, links after their end.
#include <gtest/gtest.h>

#include <fstream>
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
using test::eventually;
using test::is_payload;
using test::patience;
using test::payload;

/// How many mappings of this process are memory of that name.
std::size_t mappings_named(const std::string& name) {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(name) != std::string::npos ? 1 : 0;
  return count;
}

TEST(Lifetimes, a_sample_outlives_its_subscriber_and_its_publisher) {
  std::optional<Sample> sample;
  {
    Publisher publisher("lane");
    Subscriber subscriber("lane");
    publisher.send_copy(payload(100'000, 1));
    sample = subscriber.take(patience);
  }
  ASSERT_TRUE(sample);
  EXPECT_TRUE(is_payload(sample->bytes(), 1));
  std::thread([moved = std::move(sample)]() mutable { moved->release(); }).join();
}

TEST(Lifetimes, a_sample_that_outlives_its_subscriber_is_given_back) {
  Publisher publisher("lane");
  auto subscriber = std::make_optional<Subscriber>("lane");
  for (std::uint64_t i = 1; i <= 5; ++i) publisher.send_copy(payload(1000, i));
  auto one = subscriber->take(patience);
  auto two = subscriber->take(patience);
  subscriber.reset();
  EXPECT_TRUE(eventually([&] { return publisher.stats().waiting == 2; })) << "what was not taken is back";
  EXPECT_FALSE(publisher.flush(5ms));
  EXPECT_EQ(publisher.send_copy(payload(1000, 6)), 0U) << "and nothing more goes there";
  EXPECT_TRUE(is_payload(one->bytes(), 1));
  one->release();
  EXPECT_TRUE(eventually([&] { return publisher.stats().waiting == 1; }));
  two->release();
  EXPECT_TRUE(publisher.flush(patience));
  EXPECT_TRUE(eventually([&] { return publisher.stats().peers == 0; }));
}

TEST(Lifetimes, a_loan_outlives_its_publisher) {
  auto publisher = std::make_optional<Publisher>("lane");
  Loan loan = publisher->loan(100'000);
  publisher.reset();
  test::fill(loan.bytes(), 1);
  EXPECT_TRUE(is_payload(loan.bytes(), 1));
}

TEST(Lifetimes, a_closed_publisher_holds_no_memory) {
  Publisher publisher("lane", {.history = 4});
  Subscriber subscriber("lane");
  for (std::uint64_t i = 1; i <= 5; ++i) publisher.send_copy(payload(1'000'000, i));
  Loan loan = publisher.loan(10'000'000);
  publisher.close();
  EXPECT_EQ(loan.size(), 10'000'000U);
  test::fill(loan.bytes(), 1);
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_TRUE(is_payload(subscriber.take(patience)->bytes(), i));
  EXPECT_TRUE(eventually([&] { return mappings_named("memlane-payload") == 1; })) << "the loan's alone";
  loan.give_up();
  EXPECT_EQ(mappings_named("memlane-payload"), 0U);
}

TEST(Lifetimes, moved_from_ports_say_that_they_are_closed) {
  Publisher publisher("lane");
  Publisher moved = std::move(publisher);
  Subscriber subscriber("lane");
  Subscriber taken = std::move(subscriber);
  // NOLINTBEGIN(bugprone-use-after-move): that is the point
  EXPECT_TRUE(publisher.closed());
  EXPECT_ERROR(closed, publisher.loan(1), "moved away");
  EXPECT_ERROR(closed, publisher.send(moved.loan(1)), "moved away");
  EXPECT_ERROR(closed, publisher.stats(), "moved away");
  EXPECT_ERROR(closed, subscriber.take(), "moved away");
  EXPECT_ERROR(closed, subscriber.name(), "moved away");
  publisher.close();
  subscriber.close();
  // NOLINTEND(bugprone-use-after-move)
  EXPECT_EQ(moved.send_copy(payload(1, 1)), 1U);
  publisher = std::move(moved);
  EXPECT_EQ(publisher.send_copy(payload(1, 2)), 1U);
}

TEST(Lifetimes, what_was_sent_before_the_publisher_left_is_still_there) {
  Subscriber subscriber("lane", {.depth = 100});
  {
    Publisher publisher("lane");
    for (std::uint64_t i = 1; i <= 60; ++i) publisher.send_copy(payload(10'000 * (i % 7), i));
  }
  std::uint64_t next = 1;
  for (Sample& sample : subscriber.samples({.until_idle = true})) {
    EXPECT_EQ(sample.sequence(), next);
    EXPECT_TRUE(is_payload(sample.bytes(), next++));
  }
  EXPECT_EQ(next, 61U);
  EXPECT_TRUE(subscriber.idle());
  EXPECT_EQ(subscriber.stats().peers, 0U);
}

TEST(Lifetimes, idle_is_not_what_nobody_has_joined_yet) {
  Subscriber subscriber("lane");
  EXPECT_FALSE(subscriber.idle());
  {
    Publisher publisher("lane");
  }
  EXPECT_TRUE(eventually([&] { return subscriber.idle(); }));
  Publisher again("lane");
  EXPECT_FALSE(subscriber.idle());
}

TEST(Lifetimes, memory_is_used_again_last_freed_first) {
  Publisher publisher("lane");
  std::byte* first = nullptr;
  {
    Loan a = publisher.loan(100'000);
    Loan b = publisher.loan(100'000);
    first = b.data();
    a.give_up();
    b.give_up();
  }
  Loan again = publisher.loan(100'000);
  EXPECT_EQ(again.data(), first);
  const auto bytes = publisher.stats().bytes;
  for (int i = 0; i < 100; ++i) static_cast<void>(publisher.loan(100'000));
  EXPECT_EQ(publisher.stats().bytes, bytes);
}

TEST(Lifetimes, address_sanitizer_knows_which_memory_is_lent) {
  using detail::is_poisoned;
  constexpr bool poisoned = detail::poisons;  // in this build
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  Loan loan = publisher.loan(100);
  const std::byte* const memory = loan.data();
  EXPECT_FALSE(is_poisoned(memory) || is_poisoned(memory + 99));
  publisher.send(std::move(loan));
  EXPECT_TRUE(subscriber.take(patience));
  EXPECT_TRUE(publisher.flush(patience));
  EXPECT_EQ(is_poisoned(memory), poisoned);
  EXPECT_EQ(is_poisoned(memory + 99), poisoned);

  Loan again = publisher.loan(100);
  ASSERT_EQ(again.data(), memory);
  EXPECT_FALSE(is_poisoned(memory));
  again.give_up();
  EXPECT_EQ(is_poisoned(memory), poisoned);
}

TEST(Lifetimes, reserved_memory_is_there_before_the_first_loan) {
  Publisher publisher("lane");
  publisher.reserve(1'000'000, 3);
  const auto bytes = publisher.stats().bytes;
  EXPECT_GE(bytes, 3'000'000U);
  std::vector<Loan> loans;
  for (int i = 0; i < 3; ++i) loans.push_back(publisher.loan(1'000'000));
  EXPECT_EQ(publisher.stats().bytes, bytes);
  publisher.reserve(1'000'000, 0);
  EXPECT_EQ(publisher.stats().bytes, bytes);
}

TEST(Lifetimes, a_thousand_open_and_closed_ports_leave_nothing) {
  Publisher publisher("lane");
  for (int i = 0; i < 300; ++i) {
    Subscriber subscriber("lane");
    Publisher other("lane/" + std::to_string(i % 3));
    EXPECT_EQ(publisher.send_copy(payload(10, 1)), 1U);
    EXPECT_TRUE(subscriber.take(patience));
  }
  EXPECT_TRUE(eventually([&] { return publisher.stats().peers == 0; }));
  EXPECT_LE(mappings_named("memlane-half"), 2U);
}

TEST(Lifetimes, static_ports_of_a_program_are_no_trouble) {
  // Destroyed after main, when the endpoint has been ended already.
  static auto* const forgotten = new Publisher("forgotten");
  EXPECT_EQ(forgotten->send_copy(payload(1, 1)), 0U);
  forgotten->close();
  delete forgotten;
}

}  // namespace
}  // namespace memlane
