// The checksum of a sample: over the payload, its MetaBlock and its descriptor, but for what differs from link to link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "memlane/checksum/crc32c.hpp"
#include "memlane/layout/descriptor.hpp"

namespace memlane::detail {

/// The part that takes long, of which `payload_sum`, the sum of the payload alone, is most. `meta` counts if the descriptor
/// says that there is one.
[[nodiscard]] inline std::uint32_t payload_checksum(const Descriptor& descriptor, std::uint32_t payload_sum,
                                                    const MetaBlock& meta) noexcept {
  if ((descriptor.flags & has_meta) == 0) return payload_sum;
  return crc32c(std::as_bytes(std::span(&meta, 1)), payload_sum);
}

/// The same; `payload` has the descriptor's length.
[[nodiscard]] inline std::uint32_t payload_checksum(const Descriptor& descriptor, const std::byte* payload,
                                                    const MetaBlock& meta) noexcept {
  return payload_checksum(descriptor, crc32c({payload, static_cast<std::size_t>(descriptor.length)}), meta);
}

/// The whole, with what payload_checksum() has made of the first part.
[[nodiscard]] inline std::uint32_t sample_checksum(Descriptor descriptor, std::uint32_t payload_sum) noexcept {
  descriptor.ticket = 0;
  descriptor.checksum = 0;
  return crc32c(std::as_bytes(std::span(&descriptor, 1)), payload_sum);
}

}  // namespace memlane::detail
