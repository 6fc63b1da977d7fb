// What travels through a ring: where a payload lies, and what it is. 128 bytes, copied whole before a field is used.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "memlane/layout/shared.hpp"
#include "memlane/types/dtype.hpp"
#include "memlane/types/shape.hpp"

namespace memlane::detail {

struct Descriptor {
  std::uint64_t sequence;   // 1, 2, 3, … of the publisher
  std::uint64_t sent_time;  // nanoseconds, CLOCK_MONOTONIC
  std::uint64_t offset;     // of the payload in its segment
  std::uint64_t length;     // of the payload, bytes
  std::uint32_t segment;    // as announced by a SEGMENT message
  std::uint32_t ticket;     // to be handed back with the return
  std::uint8_t dtype;       // DType
  std::uint8_t ndim;        // 0 to 8
  std::uint16_t flags;      // has_meta
  std::uint32_t checksum;   // sample_checksum() on a link that has them, else 0
  std::uint64_t reserved[2];
  std::uint64_t shape[8];  // extents; unused ones are 0
};

/// What a sending port's descriptors carry. Said when the link is made, and not in shared memory: a flipped bit there must not
/// be able to turn the check off.
enum class Checksum : std::uint8_t { none = 0, crc32c = 1 };

inline constexpr std::uint16_t has_meta = 1;  // a MetaBlock follows the payload

/// Behind the payload, at the next multiple of 64: only where an encoding or a user header is given.
struct MetaBlock {
  std::uint8_t encoding_length;  // 0 to 63
  std::uint8_t user_length;      // 0 to 64
  std::uint8_t reserved[6];
  char encoding[64];
  std::byte user[64];
};

static_assert(sizeof(Descriptor) == 128 && alignof(Descriptor) == 8);
static_assert(offsetof(Descriptor, segment) == 32 && offsetof(Descriptor, dtype) == 40 &&
              offsetof(Descriptor, shape) == 64);
static_assert(sizeof(MetaBlock) == 136);

/// Where the MetaBlock of a payload lies.
[[nodiscard]] constexpr std::uint64_t meta_offset(std::uint64_t offset, std::uint64_t length) noexcept {
  return (offset + length + cache_line - 1) / cache_line * cache_line;
}

/// A descriptor as it stands in the ring. Copied word by word, relaxed: the words around the copy order it, and say
/// afterwards whether the copy is whole.
struct DescriptorWords {
  std::array<SharedWord, sizeof(Descriptor) / 8> words;

  void store(const Descriptor& descriptor) noexcept {
    const auto source = std::bit_cast<std::array<std::uint64_t, sizeof(Descriptor) / 8>>(descriptor);
    for (std::size_t i = 0; i < source.size(); ++i) words[i].store(source[i], std::memory_order_relaxed);
  }
  [[nodiscard]] Descriptor load() const noexcept {
    std::array<std::uint64_t, sizeof(Descriptor) / 8>
        copy;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
    for (std::size_t i = 0; i < copy.size(); ++i) copy[i] = load_once(words[i], std::memory_order_relaxed);
    return std::bit_cast<Descriptor>(copy);
  }
};
static_assert(sizeof(DescriptorWords) == 128);

/// The shape that a descriptor states, if everything it states fits together and into a segment of `segment_bytes`.
[[nodiscard]] inline std::optional<Shape> validated_shape(const Descriptor& descriptor,
                                                          std::uint64_t segment_bytes) noexcept {
  if (descriptor.offset > segment_bytes || descriptor.length > segment_bytes - descriptor.offset) return std::nullopt;
  const auto dtype = static_cast<DType>(descriptor.dtype);
  if (!is_known(dtype) || descriptor.ndim > Shape::max_dimensions) return std::nullopt;
  if (descriptor.offset % alignof(std::max_align_t) != 0) return std::nullopt;
  if ((descriptor.flags & has_meta) != 0) {
    const std::uint64_t meta = meta_offset(descriptor.offset, descriptor.length);
    if (meta > segment_bytes || sizeof(MetaBlock) > segment_bytes - meta) return std::nullopt;
  }
  const Shape shape(std::span<const std::uint64_t>(descriptor.shape, descriptor.ndim));
  if (shape.byte_count(item_size(dtype)) != descriptor.length) return std::nullopt;
  return shape;
}

}  // namespace memlane::detail
