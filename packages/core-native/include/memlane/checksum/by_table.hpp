// CRC-32C without an instruction for it: eight bytes at a time through eight tables (Kounavis and Berry, "A Systematic
// Approach to Building High Performance, Software-based, CRC Generators", 2005: slicing-by-8).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "memlane/checksum/polynomial.hpp"

namespace memlane::detail::crc {

static_assert(std::endian::native == std::endian::little, "memlane's layout is little-endian");

/// [n][byte]: what a byte with n zeros behind it makes of an empty register.
inline constexpr auto slices = [] {
  std::array<std::array<std::uint32_t, 256>, 8> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t reg = byte;
    for (int bit = 0; bit < 8; ++bit) reg = times_x(reg);
    table[0][byte] = reg;
  }
  for (std::size_t n = 1; n < table.size(); ++n) {
    for (std::size_t byte = 0; byte < 256; ++byte)
      table[n][byte] = (table[n - 1][byte] >> 8U) ^ table[0][table[n - 1][byte] & 0xFFU];
  }
  return table;
}();

/// The register after `bytes` more.
[[nodiscard]] inline std::uint32_t by_table(std::uint32_t reg, const std::byte* data, std::size_t bytes) noexcept {
  for (; bytes >= 8; data += 8, bytes -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    word ^= reg;
    reg = 0;
    for (std::size_t i = 0; i < 8; ++i) reg ^= slices[7 - i][(word >> (8 * i)) & 0xFFU];
  }
  for (; bytes != 0; ++data, --bytes) reg = (reg >> 8U) ^ slices[0][(reg ^ static_cast<std::uint8_t>(*data)) & 0xFFU];
  return reg;
}

/// The same, and copies them; in blocks that are summed before they leave the cache.
[[nodiscard]] inline std::uint32_t copy_by_table(std::uint32_t reg, std::byte* to, const std::byte* from,
                                                 std::size_t bytes) noexcept {
  constexpr std::size_t block = 16'384;
  for (std::size_t part = 0; bytes != 0; to += part, from += part, bytes -= part) {
    part = std::min(block, bytes);
    std::memcpy(to, from, part);
    reg = by_table(reg, to, part);
  }
  return reg;
}

}  // namespace memlane::detail::crc
