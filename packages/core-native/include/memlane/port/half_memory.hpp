// Making one's own half of a link, and checking the half that a peer hands over.
#pragma once

#include <cstring>

#include "memlane/layout/half.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/memory.hpp"
#include "memlane/ring/corruption.hpp"
#include "memlane/segment/machine_room.hpp"
#include "memlane/segment/size_class.hpp"

namespace memlane::detail {

[[nodiscard]] inline std::size_t sender_half_bytes(std::uint32_t depth) {
  return round_up(sizeof(SenderHalf) + std::size_t{ring_capacity(depth)} * sizeof(DescriptorWords),
                  platform::page_size());
}

[[nodiscard]] inline std::size_t receiver_half_bytes(std::uint32_t depth) {
  return round_up(sizeof(ReceiverHalf) + std::size_t{returns_capacity(depth)} * sizeof(ReturnEntry),
                  platform::page_size());
}

/// Throws Error(out_of_memory | ...) before anything is reserved.
[[nodiscard]] inline platform::OwnedMemory make_half(std::uint64_t magic, std::uint32_t capacity, std::size_t bytes) {
  room_for_queues.take(bytes);
  platform::OwnedMemory half = platform::create_memory("memlane-half", bytes);
  HalfHeader header{};
  header.magic = magic;
  header.version = layout_version;
  header.capacity = capacity;
  header.bytes = bytes;
  std::memcpy(half.mapping.data(), &header, sizeof header);
  fault_point("half.made");
  return half;
}

[[nodiscard]] inline platform::OwnedMemory make_sender_half(std::uint32_t depth) {
  return make_half(sender_half_magic, ring_capacity(depth), sender_half_bytes(depth));
}

[[nodiscard]] inline platform::OwnedMemory make_receiver_half(std::uint32_t depth) {
  return make_half(receiver_half_magic, returns_capacity(depth), receiver_half_bytes(depth));
}

/// Maps a peer's half, which must be exactly what the depth demands. Throws Error(corrupt) or Corruption.
[[nodiscard]] inline platform::Mapping map_half(const platform::Handle& handle, std::uint64_t claimed,
                                                std::uint64_t magic, std::uint32_t capacity, std::size_t bytes) {
  if (claimed != bytes) throw Corruption("a half of a link has the wrong size");
  platform::Mapping half = platform::map_foreign_memory(handle, claimed, platform::View::read_only);
  HalfHeader header{};
  std::memcpy(&header, half.data(), sizeof header);
  if (header.magic != magic || header.version != layout_version || header.capacity != capacity ||
      header.bytes != bytes) {
    throw Corruption("a half of a link has a wrong header");
  }
  return half;
}

}  // namespace memlane::detail
