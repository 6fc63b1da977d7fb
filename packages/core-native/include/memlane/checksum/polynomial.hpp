// The arithmetic behind CRC-32C: polynomials over GF(2), modulo Castagnoli's, bits reflected (bit 31 is x^0). All of it is
// done by the compiler, which leaves tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace memlane::detail::crc {

inline constexpr std::uint32_t polynomial = 0x82F63B78;

/// a * x.
[[nodiscard]] constexpr std::uint32_t times_x(std::uint32_t a) noexcept {
  return (a >> 1U) ^ ((a & 1U) != 0 ? polynomial : 0);
}

/// a * b.
[[nodiscard]] constexpr std::uint32_t times(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t product = 0;
  for (std::uint32_t bit = std::uint32_t{1} << 31U; bit != 0; bit >>= 1U) {
    if ((a & bit) != 0) product ^= b;
    b = times_x(b);
  }
  return product;
}

/// x^n.
[[nodiscard]] constexpr std::uint32_t x_to_the(std::uint64_t n) noexcept {
  std::uint32_t power = std::uint32_t{1} << 31U;
  for (std::uint32_t square = std::uint32_t{1} << 30U; n != 0; n >>= 1U) {
    if ((n & 1U) != 0) power = times(power, square);
    square = times(square, square);
  }
  return power;
}

/// Factor times each byte of a register: their sum is factor times the whole.
using FactorTable = std::array<std::array<std::uint32_t, 256>, 4>;

[[nodiscard]] constexpr FactorTable factor_table(std::uint32_t factor) noexcept {
  FactorTable table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    for (std::uint32_t value = 1; value < 256; ++value) {
      const std::uint32_t lowest = value & (~value + 1);
      table[byte][value] =
          value == lowest ? times(factor, value << (8 * byte)) : table[byte][lowest] ^ table[byte][value - lowest];
    }
  }
  return table;
}

/// What `Bytes` zeros behind it make of a register.
template <std::size_t Bytes>
inline constexpr FactorTable zeros_table = factor_table(x_to_the(std::uint64_t{8} * Bytes));

template <std::size_t Bytes>
[[nodiscard]] inline std::uint32_t behind_it_zeros(std::uint32_t reg) noexcept {
  const FactorTable& table = zeros_table<Bytes>;
  return table[0][reg & 0xFFU] ^ table[1][(reg >> 8U) & 0xFFU] ^ table[2][(reg >> 16U) & 0xFFU] ^ table[3][reg >> 24U];
}

}  // namespace memlane::detail::crc
