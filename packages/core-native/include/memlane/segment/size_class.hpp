// Which sizes payload slots come in, and how many are made at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "memlane/layout/descriptor.hpp"

namespace memlane::detail {

inline constexpr std::uint64_t smallest_slot = 256;  // bytes: a small payload and its MetaBlock
inline constexpr std::uint64_t slot_page = 4096;     // bytes: from here on slots are whole pages, so that
                                                     // a page never holds parts of two large samples
inline constexpr std::uint64_t exact_from = std::uint64_t{64} << 20U;  // bytes: larger slots are not rounded up
inline constexpr std::uint64_t smallest_segment = std::uint64_t{64} << 10U;
inline constexpr std::uint64_t largest_growth = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t largest_payload = std::uint64_t{1} << 46U;  // 64 TiB: half of what a process can address

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) noexcept {
  return (value + step - 1) / step * step;
}

/// The slot that a payload of `bytes` needs, with room for a MetaBlock behind it. Steps are an eighth of the next lower
/// power of two: at most an eighth is wasted, and sizes that differ a little share slots.
[[nodiscard]] constexpr std::uint64_t slot_bytes_for(std::uint64_t bytes) noexcept {
  const std::uint64_t needed = round_up(bytes, cache_line) + round_up(sizeof(MetaBlock), cache_line);
  if (needed <= slot_page / 2) return std::max(smallest_slot, std::bit_ceil(needed));
  if (needed >= exact_from) return round_up(needed, slot_page);
  return round_up(needed, std::max(slot_page, std::bit_floor(needed) / 8));
}

/// A free slot of another class serves as well if it wastes no more than a quarter (or a page).
[[nodiscard]] constexpr bool is_good_fit(std::uint64_t slot_bytes, std::uint64_t wanted) noexcept {
  return slot_bytes - wanted <= std::max(wanted / 4, slot_page);
}

/// How many slots the next segment of a class gets: a quarter of what the class has, so that a port with much memory has few
/// segments (each costs a descriptor), and one with little never waits for much more than it asked for.
[[nodiscard]] constexpr std::uint64_t slots_to_add(std::uint64_t slot_bytes, std::uint64_t class_bytes) noexcept {
  return std::max<std::uint64_t>(1, std::clamp(class_bytes / 4, smallest_segment, largest_growth) / slot_bytes);
}

}  // namespace memlane::detail
