// CRC-32C (Castagnoli's polynomial, as in iSCSI, RFC 3720). It finds every error of an odd number of bits, of two bits less
// than 268 MB apart, and of any bits within 32 of each other; of all others it misses one in four billion. It is no protection
// from a forger, who can compute it as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "memlane/checksum/by_instruction.hpp"
#include "memlane/checksum/by_table.hpp"
#include "memlane/platform/fact.hpp"
#include "memlane/platform/processor.hpp"

namespace memlane::detail {

/// The sum of `bytes`. `before`: the sum of what stands in front of them.
[[nodiscard]] inline std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept {
  const std::uint32_t reg = ~before;
  if constexpr (crc::instruction_is_known) {
    if (platform::fact<platform::has_crc32c>()) return ~crc::by_instruction(reg, bytes.data(), bytes.size());
  }
  return ~crc::by_table(reg, bytes.data(), bytes.size());
}

/// From so many bytes on a copy goes past the cache, which would not hold it until somebody reads it; what is smaller is
/// found there by whoever takes it.
inline constexpr std::size_t past_cache_from = 16U << 20U;

/// Copies bytes, and returns the sum of what was copied, also where somebody writes to the source at the same time. As fast
/// as the slower of the two by itself.
[[nodiscard]] inline std::uint32_t copy_and_sum(std::byte* to, std::span<const std::byte> bytes) noexcept {
  if constexpr (crc::instruction_is_known) {
    if (platform::fact<platform::has_crc32c>()) {
      return bytes.size() < past_cache_from
                 ? ~crc::copy_by_instruction<false>(~std::uint32_t{0}, to, bytes.data(), bytes.size())
                 : ~crc::copy_by_instruction<true>(~std::uint32_t{0}, to, bytes.data(), bytes.size());
    }
  }
  return ~crc::copy_by_table(~std::uint32_t{0}, to, bytes.data(), bytes.size());
}

}  // namespace memlane::detail
