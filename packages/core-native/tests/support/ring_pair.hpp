// Both ends of one link, in one process, without ports: over two mappings, as two processes have it, or over one.
#pragma once

#include "memlane/port/half_memory.hpp"
#include "memlane/ring/receiver_ring.hpp"
#include "memlane/ring/sender_ring.hpp"

namespace memlane::test {

enum class Mappings {
  two,  ///< each side sees the other's half read-only at another address, as across processes
  one,  ///< both sides use the same addresses: ThreadSanitizer sees who touches what
};

struct RingPair {
  explicit RingPair(std::uint32_t depth, bool drop_oldest, Mappings mappings = Mappings::two)
      : RingPair(depth, detail::returns_capacity(depth), drop_oldest, mappings) {}

  RingPair(std::uint32_t depth, std::uint32_t returns, bool drop_oldest, Mappings mappings)
      : sender_half(detail::make_sender_half(depth)),
        receiver_half(detail::make_receiver_half(depth)),
        sender_view(view(sender_half, mappings)),
        receiver_view(view(receiver_half, mappings)),
        sender(sender_half.mapping, mappings == Mappings::two ? receiver_view : receiver_half.mapping,
               detail::ring_capacity(depth), returns),
        receiver(receiver_half.mapping, mappings == Mappings::two ? sender_view : sender_half.mapping,
                 detail::ring_capacity(depth), returns, drop_oldest) {}

  detail::platform::OwnedMemory sender_half;
  detail::platform::OwnedMemory receiver_half;
  detail::platform::Mapping sender_view;
  detail::platform::Mapping receiver_view;
  detail::SenderRing sender;
  detail::ReceiverRing receiver;

 private:
  static detail::platform::Mapping view(const detail::platform::OwnedMemory& half, Mappings mappings) {
    if (mappings == Mappings::one) return {};
    return detail::platform::map_foreign_memory(half.handle, half.mapping.size(), detail::platform::View::read_only);
  }
};

/// A descriptor that says in every field which one it is.
[[nodiscard]] inline detail::Descriptor numbered(std::uint64_t sequence) {
  detail::Descriptor descriptor{};
  descriptor.sequence = sequence;
  descriptor.sent_time = sequence * 3;
  descriptor.offset = sequence * 5;
  descriptor.length = sequence * 7;
  descriptor.segment = static_cast<std::uint32_t>(sequence);
  descriptor.ticket = static_cast<std::uint32_t>(sequence % 1000);
  for (std::uint64_t& extent : descriptor.shape) extent = sequence;
  return descriptor;
}

/// Whether it is one of those, whole.
[[nodiscard]] inline bool is_whole(const detail::Descriptor& descriptor) {
  const detail::Descriptor expected = numbered(descriptor.sequence);
  return std::memcmp(&descriptor, &expected, sizeof expected) == 0;
}

}  // namespace memlane::test
