// CRC-32C: known answers, and each way to compute it against one that takes a bit at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "memlane/checksum/crc32c.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

using detail::crc32c;
using Bytes = std::span<const std::byte>;

/// From the definition.
std::uint32_t bit_by_bit(Bytes bytes, std::uint32_t before = 0) {
  std::uint32_t reg = ~before;
  for (const std::byte byte : bytes) {
    reg ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) reg = (reg >> 1U) ^ ((reg & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  return ~reg;
}

struct Way {
  std::string_view name;
  std::uint32_t (*sum)(Bytes bytes, std::uint32_t before);
};

/// The sum that comes with a copy. It is only right if the copy is, and nothing beside it was written.
template <std::uint32_t (*copy)(std::uint32_t reg, std::byte* to, const std::byte* from, std::size_t bytes)>
std::uint32_t sum_of_copy(Bytes bytes, std::uint32_t before) {
  constexpr std::byte untouched{0xA5};
  std::vector<std::byte> room(bytes.size() + 16, untouched);
  const std::size_t shift = bytes.size() % 8;  // as the source, the copy may lie anywhere
  const std::uint32_t reg = copy(~before, room.data() + shift, bytes.data(), bytes.size());
  const auto end = room.begin() + static_cast<std::ptrdiff_t>(shift + bytes.size());
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), room.begin() + static_cast<std::ptrdiff_t>(shift)));
  EXPECT_EQ(std::count(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(shift), untouched) +
                std::count(end, room.end(), untouched),
            16);
  return ~reg;
}

/// Those that this processor can go.
std::vector<Way> all_ways() {
  std::vector<Way> ways{
      {"as the program does", [](Bytes bytes, std::uint32_t before) { return crc32c(bytes, before); }},
      {"by table",
       [](Bytes bytes, std::uint32_t before) { return ~detail::crc::by_table(~before, bytes.data(), bytes.size()); }},
      {"by table, with a copy", sum_of_copy<detail::crc::copy_by_table>},
  };
  if constexpr (detail::crc::instruction_is_known) {
    if (detail::platform::has_crc32c()) {
      ways.push_back({"by instruction", [](Bytes bytes, std::uint32_t before) {
                        return ~detail::crc::by_instruction(~before, bytes.data(), bytes.size());
                      }});
      ways.push_back({"by instruction, with a copy", sum_of_copy<detail::crc::copy_by_instruction<false>>});
      ways.push_back(
          {"by instruction, with a copy past the cache", sum_of_copy<detail::crc::copy_by_instruction<true>>});
    }
  }
  return ways;
}

class Crc32c : public ::testing::Test {
 protected:
  template <class Check>
  static void each_way(Check&& check) {
    for (const Way& way : all_ways()) {
      SCOPED_TRACE(way.name);
      check(way.sum);
    }
  }
};

// RFC 3720, B.4; and the check value that all catalogues give.
TEST_F(Crc32c, has_the_known_answers) {
  each_way([](const auto& sum) {
    std::array<std::byte, 32> bytes{};
    EXPECT_EQ(sum(bytes, 0), 0x8A9136AAU);
    bytes.fill(std::byte{0xFF});
    EXPECT_EQ(sum(bytes, 0), 0x62A8AB43U);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
    EXPECT_EQ(sum(bytes, 0), 0x46DD794EU);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(31 - i);
    EXPECT_EQ(sum(bytes, 0), 0x113FDB5CU);
    EXPECT_EQ(sum(std::as_bytes(std::span(std::string_view("123456789"))), 0), 0xE3069283U);
    EXPECT_EQ(sum({}, 0), 0U);
  });
}

TEST_F(Crc32c, is_right_for_every_length_at_every_alignment) {
  const auto bytes = test::payload(1700, 5);
  // From one length to the next the reference grows by a byte.
  for (std::size_t shift = 0; shift < 16; ++shift) {
    std::uint32_t expected = 0;
    for (std::size_t length = 0; length + shift <= bytes.size(); ++length) {
      const Bytes part = Bytes(bytes).subspan(shift, length);
      if (length != 0) expected = bit_by_bit(part.last(1), expected);
      each_way([&](const auto& sum) { ASSERT_EQ(sum(part, 0), expected) << length << " bytes at " << shift; });
    }
  }
}

// Around each length at which parts are summed side by side.
TEST_F(Crc32c, is_right_for_large_payloads) {
  const auto bytes = test::payload(3 * 8192 * 3 + 3 * 256 + 20, 9);
  for (const std::size_t around : {3U * 256, 3U * 8192, 3U * 8192 + 3U * 256, 6U * 8192, 9U * 8192 + 3U * 256}) {
    for (std::size_t length = around - 9; length <= around + 9; ++length) {
      const Bytes part = Bytes(bytes).subspan(around % 11, length);
      const std::uint32_t expected = bit_by_bit(part);
      each_way([&](const auto& sum) { ASSERT_EQ(sum(part, 0), expected) << length; });
    }
  }
}

TEST_F(Crc32c, goes_on_where_it_stopped) {
  const auto bytes = test::payload(40'000, 2);
  each_way([&](const auto& sum) {
    const std::uint32_t whole = sum(bytes, 0);
    for (const std::size_t cut : {0UL, 1UL, 7UL, 777UL, 24'576UL, 39'999UL, 40'000UL})
      EXPECT_EQ(sum(Bytes(bytes).subspan(cut), sum(Bytes(bytes).first(cut), 0)), whole) << cut;
  });
}

TEST_F(Crc32c, comes_with_a_copy_of_any_size) {
  const auto bytes = test::payload(detail::past_cache_from + 9, 4);
  std::vector<std::byte> copy(bytes.size());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{70'000}, bytes.size()}) {
    const Bytes part = Bytes(bytes).first(size);
    EXPECT_EQ(detail::copy_and_sum(copy.data(), part), crc32c(part));
    EXPECT_TRUE(std::equal(part.begin(), part.end(), copy.begin()));
  }
}

TEST_F(Crc32c, sees_every_bit) {
  auto bytes = test::payload(25'000, 3);
  const std::uint32_t whole = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 61) {
    const std::byte mask{static_cast<std::uint8_t>(1U << bit % 8)};
    bytes[bit / 8] ^= mask;
    EXPECT_NE(crc32c(bytes), whole) << bit;
    bytes[bit / 8] ^= mask;
  }
}

}  // namespace
}  // namespace memlane
