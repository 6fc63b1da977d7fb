// CRC-32 as zlib, Python's zlib.crc32 and Node's zlib.crc32 compute it, eight bytes at a time ("slicing by 8"): the
// checksum that all three languages have at hand. It is here because a fresh machine has no zlib to link with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace demo {

namespace crc32_tables {

// tables[k][b]: what the byte b contributes when k more bytes follow it.
inline constexpr auto tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0xEDB88320U : 0U);
    made[0][byte] = value;
  }
  for (std::size_t k = 1; k < made.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = made[k - 1][byte];
      made[k][byte] = (before >> 8U) ^ made[0][before & 0xFFU];
    }
  }
  return made;
}();

}  // namespace crc32_tables

[[nodiscard]] constexpr std::uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  using crc32_tables::tables;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(bytes[at]); };
  std::uint32_t crc = 0xFFFFFFFFU;
  std::size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    const std::uint32_t low = crc ^ (byte(at) | byte(at + 1) << 8U | byte(at + 2) << 16U | byte(at + 3) << 24U);
    crc = tables[7][low & 0xFFU] ^ tables[6][(low >> 8U) & 0xFFU] ^ tables[5][(low >> 16U) & 0xFFU] ^
          tables[4][low >> 24U] ^ tables[3][byte(at + 4)] ^ tables[2][byte(at + 5)] ^ tables[1][byte(at + 6)] ^
          tables[0][byte(at + 7)];
  }
  for (; at < bytes.size(); ++at) crc = (crc >> 8U) ^ tables[0][(crc ^ byte(at)) & 0xFFU];
  return ~crc;
}

namespace crc32_tables {

// The check value of the CRC catalogues, once through the fast path and once through the slow one.
inline constexpr std::array<std::byte, 9> digits{std::byte{'1'}, std::byte{'2'}, std::byte{'3'},
                                                 std::byte{'4'}, std::byte{'5'}, std::byte{'6'},
                                                 std::byte{'7'}, std::byte{'8'}, std::byte{'9'}};
static_assert(crc32(digits) == 0xCBF43926U);
static_assert(crc32(std::span(digits).first(7)) == 0x5003699FU);

}  // namespace crc32_tables

}  // namespace demo
