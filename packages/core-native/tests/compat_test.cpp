// The older library's class over memlane's lanes: what its calls meant, and what they never should have done.
#include "memlane/compat/share_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"

namespace {

using ShareMem::ShareData;
using ShareMem::ShareMemory;
using Bytes = std::vector<unsigned char>;

static_assert(CAN_WRITE == 0 && CAN_READ == 1 && PROCESSING == 2 && memlane::compat::finished == 3);

constexpr std::int64_t key = 12331;

Bytes filled(std::size_t size, int value) {
  return Bytes(size, static_cast<unsigned char>(value));
}

template <class Condition>
bool eventually(Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// What goes through several links, or through the service thread, comes a moment later than the call returns.
bool comes_to(const ShareMemory& share, int status) {
  return eventually([&] { return share.FlagStatus() == status; });
}

/// Copies what can be read without changing the flag.
Bytes body_of(const ShareMemory& share) {
  const unsigned char* const at = share.GetShareBodyAddress();
  return at == nullptr ? Bytes{} : Bytes(at, at + share.GetShareBodySize());
}

bool comes_to_show(const ShareMemory& share, const Bytes& body) {
  return eventually([&] { return body_of(share) == body; });
}

bool comes_to_take(const ShareMemory& share, const Bytes& body) {
  return eventually([&] { return share.PutShareBody(body.data(), body.size()) == 1; });
}

TEST(Compat, what_one_puts_the_other_reads) {
  const ShareMemory writer(key);
  const ShareMemory reader(key);
  Bytes image = filled(480UL * 640 * 3, 7);
  EXPECT_EQ(writer.SetStatus(CAN_WRITE), 1);
  EXPECT_EQ(writer.SetShareHead(480, 640), 1);
  EXPECT_EQ(reader.FlagStatus(), CAN_WRITE);
  EXPECT_EQ(reader.GetShareBodySize(), 0U);
  EXPECT_EQ(reader.GetShareBodyAddress(), nullptr);

  EXPECT_TRUE(comes_to_take(writer, image));
  EXPECT_TRUE(comes_to(writer, CAN_READ));
  EXPECT_TRUE(comes_to(reader, CAN_READ));
  EXPECT_EQ(reader.GetShareBodySize(), image.size());
  EXPECT_TRUE(comes_to_show(reader, image));
  EXPECT_TRUE(comes_to_show(writer, image)) << "the block is one, for its writer too";

  EXPECT_EQ(reader.SetStatus(CAN_WRITE), 1);
  EXPECT_TRUE(comes_to(writer, CAN_WRITE));
  EXPECT_EQ(writer.GetShareBodySize(), 0U);
}

TEST(Compat, the_next_body_waits_for_the_reader) {
  const ShareMemory writer(key);
  const ShareMemory reader(key);
  const Bytes first = filled(100, 1);
  const Bytes second = filled(200, 2);
  ASSERT_TRUE(comes_to_take(writer, first));
  EXPECT_EQ(writer.PutShareBody(second.data(), second.size()), 0);
  EXPECT_TRUE(comes_to_show(reader, first));
  EXPECT_EQ(reader.PutShareBody(second.data(), second.size()), 0) << "whoever wants to write";
  reader.SetStatus(PROCESSING);
  EXPECT_TRUE(comes_to(writer, PROCESSING));
  EXPECT_EQ(writer.PutShareBody(second.data(), second.size()), 0);
  reader.SetStatus(CAN_WRITE);
  EXPECT_TRUE(comes_to_take(writer, second));
  EXPECT_TRUE(comes_to_show(reader, second));
}

TEST(Compat, a_body_that_somebody_looks_at_is_never_overwritten) {
  const ShareMemory writer(key);
  const ShareMemory reader(key);
  const Bytes first = filled(1 << 20, 1);
  const Bytes second = filled(1 << 20, 2);
  ASSERT_TRUE(comes_to_take(writer, first));
  ASSERT_TRUE(comes_to(reader, CAN_READ));
  const unsigned char* const at = reader.GetShareBodyAddress();
  reader.SetStatus(CAN_WRITE);
  ASSERT_TRUE(comes_to_take(writer, second));
  EXPECT_TRUE(std::equal(first.begin(), first.end(), at)) << "the old pointer outlives the answer";
  ASSERT_TRUE(comes_to(reader, CAN_READ));
  EXPECT_TRUE(comes_to_show(reader, second));
}

TEST(Compat, saying_twice_that_a_body_was_read_does_not_lose_the_next) {
  const ShareMemory writer(key);
  const ShareMemory reader(key);
  const Bytes first = filled(10, 1);
  const Bytes second = filled(10, 2);
  ASSERT_TRUE(comes_to_take(writer, first));
  ASSERT_TRUE(comes_to(reader, CAN_READ));
  reader.SetStatus(CAN_WRITE);
  ASSERT_TRUE(comes_to_take(writer, second));
  reader.SetStatus(CAN_WRITE);  // of the first, as it has not seen the second
  EXPECT_TRUE(comes_to(writer, CAN_READ));
  EXPECT_TRUE(comes_to(reader, CAN_READ));
  EXPECT_TRUE(comes_to_show(reader, second));
}

TEST(Compat, an_answer_to_an_earlier_body_does_not_count_against_a_later_one) {
  const ShareMemory writer(key);
  const ShareMemory reader(key);
  const Bytes first = filled(10, 1);
  const Bytes second = filled(10, 2);
  ASSERT_TRUE(comes_to_take(writer, first));
  ASSERT_TRUE(comes_to(reader, CAN_READ));
  writer.SetStatus(CAN_WRITE);  // does not wait any longer
  ASSERT_TRUE(comes_to_take(writer, second));
  reader.SetStatus(CAN_WRITE);  // of the first
  EXPECT_TRUE(comes_to(writer, CAN_READ));
  EXPECT_TRUE(comes_to_show(reader, second));
}

TEST(Compat, the_body_is_copied_out_with_what_was_said_of_it) {
  const ShareMemory writer(key);
  const ShareMemory reader(key);
  const unsigned char nothing = 0;
  ShareData data;
  EXPECT_EQ(reader.GetShareBody(&data), 0);
  EXPECT_EQ(reader.GetShareBody(nullptr), 0);
  for (const std::size_t size : {std::size_t{6}, std::size_t{6000}, std::size_t{60}, std::size_t{0}}) {
    const Bytes body = filled(size, static_cast<int>(size % 251));
    writer.SetShareHead(size, 2 * size);
    const unsigned char* const data_of = body.empty() ? &nothing : body.data();
    ASSERT_TRUE(eventually([&] { return writer.PutShareBody(data_of, size) == 1; }));
    ASSERT_TRUE(eventually([&] { return reader.GetShareBody(&data) == 1; }));
    ASSERT_EQ(data.data_size, size);
    if (size != 0) {
      EXPECT_EQ(data.rows, size);
      EXPECT_EQ(data.cols, 2 * size);
    }
    EXPECT_EQ(data.flag, CAN_READ);
    EXPECT_TRUE(std::equal(body.begin(), body.end(), reinterpret_cast<unsigned char*>(data.data_body)));
    EXPECT_TRUE(comes_to(writer, CAN_WRITE)) << "who copies it out has read it";
    EXPECT_EQ(reader.GetShareBody(&data), 0);
  }
}

TEST(Compat, either_side_may_write) {
  const ShareMemory one(key);
  const ShareMemory other(key);
  for (int round = 0; round < 10; ++round) {
    const ShareMemory& from = round % 2 == 0 ? one : other;
    const ShareMemory& to = round % 2 == 0 ? other : one;
    const Bytes body = filled(1000, round);
    ASSERT_TRUE(comes_to_take(from, body));
    EXPECT_TRUE(comes_to_show(to, body));
    to.SetStatus(CAN_WRITE);
  }
}

TEST(Compat, keys_do_not_meet) {
  const ShareMemory one(1);
  const ShareMemory two(2);
  const ShareMemory reader_of_one(1);
  const ShareMemory reader_of_two(2);
  const Bytes first = filled(11, 1);
  const Bytes second = filled(22, 2);
  ASSERT_TRUE(comes_to_take(one, first));
  EXPECT_EQ(reader_of_two.FlagStatus(), CAN_WRITE);
  ASSERT_TRUE(comes_to_take(two, second));
  EXPECT_TRUE(comes_to_show(reader_of_one, first));
  EXPECT_TRUE(comes_to_show(reader_of_two, second));
  reader_of_two.SetStatus(CAN_WRITE);
  EXPECT_TRUE(comes_to(one, CAN_READ));
}

TEST(Compat, who_comes_late_finds_the_block_as_it_is) {
  const ShareMemory writer(key);
  const Bytes body = filled(5000, 5);
  writer.SetShareHead(50, 100);
  ASSERT_TRUE(comes_to_take(writer, body));
  {
    const ShareMemory reader(key);
    ASSERT_TRUE(comes_to(reader, CAN_READ));
    ShareData data;
    ASSERT_EQ(reader.GetShareBody(&data), 1);
    EXPECT_EQ(data.rows, 50U);
    EXPECT_EQ(data.cols, 100U);
    EXPECT_TRUE(comes_to(writer, CAN_WRITE));
  }
  // That it was read is known to who comes later still, though the reader is gone.
  const ShareMemory later(key);
  EXPECT_EQ(later.GetShareBodySize(), 0U);
  EXPECT_EQ(later.FlagStatus(), CAN_WRITE);
}

TEST(Compat, the_last_word_arrives_though_its_writer_has_left) {
  const ShareMemory reader(key);
  const Bytes body = filled(70, 7);
  {
    const ShareMemory writer(key);
    ASSERT_TRUE(comes_to_take(writer, body));
    ASSERT_TRUE(comes_to(reader, CAN_READ));
    reader.SetStatus(CAN_WRITE);
    ASSERT_TRUE(comes_to(writer, CAN_WRITE));
    writer.SetStatus(memlane::compat::finished);
    EXPECT_EQ(writer.DestroyShare(), 1);
    EXPECT_EQ(writer.DestroyShare(), 1);
  }
  EXPECT_TRUE(comes_to(reader, memlane::compat::finished));
  const ShareMemory next_writer(key);
  ASSERT_TRUE(comes_to_take(next_writer, body)) << "a key can be used again";
  EXPECT_TRUE(comes_to(reader, CAN_READ));
}

TEST(Compat, a_body_stays_readable_though_its_writer_has_left) {
  const ShareMemory reader(key);
  const Bytes body = filled(1 << 20, 9);
  {
    const ShareMemory writer(key);
    ASSERT_TRUE(comes_to_take(writer, body));
  }
  EXPECT_TRUE(comes_to(reader, CAN_READ));
  EXPECT_TRUE(comes_to_show(reader, body));
}

TEST(Compat, a_write_into_what_was_read_is_seen_by_nobody) {
  const ShareMemory writer(key);
  const ShareMemory reader(key);
  const ShareMemory witness(key);
  const Bytes first = filled(1 << 16, 1);
  const Bytes second = filled(1 << 16, 2);
  ASSERT_TRUE(comes_to_take(writer, first));
  ASSERT_TRUE(comes_to(reader, CAN_READ));
  unsigned char* const at = reader.GetShareBodyAddress();
  ASSERT_NE(at, nullptr);
  std::fill_n(at, first.size(), static_cast<unsigned char>(0xEE));
  EXPECT_TRUE(comes_to_show(witness, first));
  EXPECT_TRUE(comes_to_show(writer, first));
  reader.SetStatus(CAN_WRITE);
  ASSERT_TRUE(comes_to_take(writer, second));
  EXPECT_TRUE(comes_to_show(reader, second));
}

TEST(Compat, nothing_to_put_is_refused) {
  const ShareMemory writer(key);
  EXPECT_EQ(writer.PutShareBody(nullptr, 10), 0);
  EXPECT_EQ(writer.FlagStatus(), CAN_WRITE);
}

TEST(Compat, after_DestroyShare_a_call_says_so) {
  const ShareMemory share(key);
  share.DestroyShare();
  try {
    share.FlagStatus();
    FAIL() << "it went on";
  } catch (const memlane::Error& error) {
    EXPECT_EQ(error.code(), memlane::ErrorCode::closed);
    EXPECT_EQ(error.lane(), "key/12331/status");
  }
}

TEST(Compat, the_lane_of_the_key_carries_the_bodies) {
  const ShareMemory share(key);
  memlane::Subscriber subscriber(key);
  const Bytes body = filled(300, 3);
  ASSERT_TRUE(comes_to_take(share, body));
  const auto sample = subscriber.take(std::chrono::seconds(20));
  ASSERT_TRUE(sample);
  EXPECT_TRUE(std::ranges::equal(sample->as_array<std::uint8_t>(), body));

  share.SetStatus(CAN_WRITE);
  memlane::Publisher publisher(key);
  publisher.send_copy(body, {10, 10, 3});
  EXPECT_TRUE(comes_to(share, CAN_READ));
  EXPECT_TRUE(comes_to_show(share, body));
}

TEST(Compat, a_full_queue_of_somebody_else_holds_the_next_body_back) {
  const ShareMemory share(key);
  memlane::Subscriber subscriber(key, {.depth = 1});
  const Bytes body = filled(300, 3);
  ASSERT_TRUE(comes_to_take(share, body));
  share.SetStatus(CAN_WRITE);
  EXPECT_EQ(share.PutShareBody(body.data(), body.size()), 0);
  ASSERT_TRUE(subscriber.take(std::chrono::seconds(20)));
  EXPECT_TRUE(comes_to_take(share, body));
}

// The older library's benchmark: the writer asks until it may write, the reader until it may read, both without a pause.
TEST(Compat, the_benchmark_program_loses_and_tears_nothing) {
  constexpr int frames = 300;
  constexpr std::size_t size = 256UL * 1024;
  std::atomic<int> read = 0;
  std::atomic<bool> whole = true;
  std::thread reader([&] {
    const ShareMemory share(key);
    for (int status = CAN_WRITE; status != memlane::compat::finished; status = share.FlagStatus()) {
      if (status != CAN_READ) continue;
      const unsigned char* const at = share.GetShareBodyAddress();
      const auto expected = static_cast<unsigned char>(read % 251);
      if (share.GetShareBodySize() != size || std::count(at, at + size, expected) != static_cast<std::ptrdiff_t>(size))
        whole = false;
      ++read;
      share.SetStatus(CAN_WRITE);
    }
  });

  const ShareMemory share(key);
  share.SetStatus(CAN_WRITE);
  share.SetShareHead(512, 512);
  int put = 0;
  const bool ended = eventually([&] {
    if (put < frames && share.FlagStatus() == CAN_WRITE) {
      const Bytes image = filled(size, put % 251);
      put += share.PutShareBody(image.data(), image.size());
    }
    return put == frames && share.FlagStatus() == CAN_WRITE;
  });
  share.SetStatus(memlane::compat::finished);
  share.DestroyShare();
  reader.join();
  EXPECT_TRUE(ended);
  EXPECT_EQ(read, frames);
  EXPECT_TRUE(whole);
}

}  // namespace
