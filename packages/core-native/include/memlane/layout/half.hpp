// The two halves of a link. Each is written by its owner alone; the other process maps it read-only, and the kernel
// enforces that. Bytes and tables: docs/layout.md.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "memlane/layout/descriptor.hpp"
#include "memlane/layout/shared.hpp"
#include "memlane/layout/version.hpp"

namespace memlane::detail {

/// First line of both halves; written before the half is handed over, never after.
struct HalfHeader {
  std::uint64_t magic;
  std::uint32_t version;   // layout_version
  std::uint32_t capacity;  // entries of the ring behind the header: a power of two
  std::uint64_t bytes;     // of the whole half
  std::uint64_t reserved[5];
};
static_assert(sizeof(HalfHeader) == cache_line);

/// Positions count from 0, grow for ever, and are reduced modulo the capacity when used. They wrap after 2^64 steps, and
/// nothing happens then: what is compared is their distance, and no two positions in use are far from each other.
[[nodiscard]] constexpr bool is_before(std::uint64_t position, std::uint64_t other) noexcept {
  return static_cast<std::int64_t>(position - other) < 0;
}

/// Written by the sending port.
struct SenderHalf {
  HalfHeader header;

  // tail: how many descriptors were pushed. Written by the sender; read by the receiver. Its release pairs with the
  // acquire in ReceiverRing::refresh_tail [SYNC descriptor]: who sees the tail sees the descriptors and payloads before
  // it.
  alignas(cache_line) SharedWord tail;
  // floor: descriptors before it were taken back (drop-oldest). Written by the sender; read by the receiver. Ordered
  // against `head` by the fences on both sides [SYNC take-back]. Its release pairs with the acquire in
  // ReceiverRing::load_floor: who sees it also sees the tail that it does not pass.
  alignas(cache_line) SharedWord floor;
  // armed: 0, or the number of the sleep the sender is about to begin: ring once for it. Written by the sender; read by
  // the receiver after it has taken or returned something. Both relaxed: the fences order it [SYNC sleep].
  alignas(cache_line) SharedWord armed;
  // dropped: samples this receiver did not get. Written by the sender; read for statistics only, relaxed.
  alignas(cache_line) SharedWord dropped;
  // returns_head: how many returns were collected. Written by the sender; read by the receiver to see how much room its
  // ring of returns has. Release pairs with the acquire in ReceiverRing::give_back [SYNC returns-room].
  SharedWord returns_head;

  alignas(cache_line) std::byte reserved[192];
  // DescriptorWords[capacity] follow.
};
static_assert(offsetof(SenderHalf, tail) == 64 && offsetof(SenderHalf, floor) == 128 &&
              offsetof(SenderHalf, armed) == 192);
static_assert(offsetof(SenderHalf, dropped) == 256 && offsetof(SenderHalf, returns_head) == 264 &&
              sizeof(SenderHalf) == 512);

/// A return as it stands in the receiver's ring. Written by the receiver, read by the sender, both relaxed: between
/// them stand `returns_tail` for who reads, and `returns_head` for who writes over it.
struct ReturnEntry {
  SharedWord position;  // of the descriptor that is given back
  SharedWord ticket;    // its ticket in the low 32 bits; `return_yielded` above
};
inline constexpr std::uint64_t return_yielded = std::uint64_t{1} << 32U;  // not taken: left to the sender's take-back

/// Written by the receiving port.
struct ReceiverHalf {
  HalfHeader header;

  // head: how many descriptors were taken (or skipped). Written by the receiver, after it has copied the descriptor;
  // read by the sender. Its release pairs with the acquire in SenderRing::refresh_head [SYNC room]: a place that is
  // seen free was read to its end.
  alignas(cache_line) SharedWord head;
  // returns_tail: how many returns were pushed. Written by the receiver; read by the sender. Release pairs with the
  // acquire in SenderRing::collect_returns [SYNC return]: whoever sees a return knows that its payload is read no more.
  alignas(cache_line) SharedWord returns_tail;
  // armed: 0, or the number of the sleep the receiver is about to begin. Written by the receiver; read by the sender
  // after a push. Both relaxed: the fences order it [SYNC sleep].
  alignas(cache_line) SharedWord armed;

  alignas(cache_line) std::byte reserved[256];
  // ReturnEntry[capacity] follow.
};
static_assert(offsetof(ReceiverHalf, head) == 64 && offsetof(ReceiverHalf, returns_tail) == 128);
static_assert(offsetof(ReceiverHalf, armed) == 192 && sizeof(ReceiverHalf) == 512 && sizeof(ReturnEntry) == 16);

/// More than `depth` places: a place is written anew only when a whole round of others lies between (see SenderRing).
[[nodiscard]] constexpr std::uint32_t ring_capacity(std::uint32_t depth) noexcept {
  return std::bit_ceil(depth + 1);
}

/// Room for returns. More than fits travels as a message instead, so this is a matter of speed only.
[[nodiscard]] constexpr std::uint32_t returns_capacity(std::uint32_t depth) noexcept {
  return std::bit_ceil(depth < 112 ? 112U : depth);
}

}  // namespace memlane::detail
