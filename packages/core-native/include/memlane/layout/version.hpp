// The version of everything that processes share: memory, messages, files. Peers of another version refuse each other.
#pragma once

#include <cstdint>

namespace memlane::detail {

/// Raised with every change that an older or newer peer would misread. docs/layout.md describes this version.
inline constexpr std::uint32_t layout_version = 1;

// Little-endian "MEMLANE1" and friends: what a hex dump shows first.
inline constexpr std::uint64_t message_magic = 0x31454E414C4D454DULL;        // "MEMLANE1"
inline constexpr std::uint64_t lane_file_magic = 0x454E414C4D454D4CULL;      // "LMEMLANE"
inline constexpr std::uint64_t announcement_magic = 0x454E414C4D454D41ULL;   // "AMEMLANE"
inline constexpr std::uint64_t sender_half_magic = 0x454E414C4D454D53ULL;    // "SMEMLANE"
inline constexpr std::uint64_t receiver_half_magic = 0x454E414C4D454D52ULL;  // "RMEMLANE"

}  // namespace memlane::detail
