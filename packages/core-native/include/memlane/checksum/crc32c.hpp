// CRC-32C (Castagnoli's polynomial, as in iSCSI, RFC 3720). It finds every error of an odd number of bits, of two bits less
// than 268 MB apart, and of any bits within 32 of each other; of all others it misses one in four billion. It is no protection
// from a forger, who can compute it as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "memlane/checksum/by_instruction.hpp"
#include "memlane/checksum/by_table.hpp"
#include "memlane/platform/processor.hpp"

namespace memlane::detail {

/// The sum of `bytes`. `before`: the sum of what stands in front of them.
[[nodiscard]] inline std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept {
  const std::uint32_t reg = ~before;
  if constexpr (crc::instruction_is_known) {
    static const bool here = platform::has_crc32c();
    if (here) return ~crc::by_instruction(reg, bytes.data(), bytes.size());
  }
  return ~crc::by_table(reg, bytes.data(), bytes.size());
}

}  // namespace memlane::detail
