// Payloads whose every byte follows from a seed, so that a torn, stale or foreign one is seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace memlane::test {

/// The byte at `index` of the payload `seed`.
[[nodiscard]] constexpr std::byte payload_byte(std::uint64_t seed, std::size_t index) noexcept {
  return static_cast<std::byte>((seed * 0x9E3779B97F4A7C15ULL + index * 0x2545F491ULL) >> 24U);
}

inline void fill(std::span<std::byte> bytes, std::uint64_t seed) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = payload_byte(seed, i);
}

[[nodiscard]] inline std::vector<std::byte> payload(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  fill(bytes, seed);
  return bytes;
}

[[nodiscard]] inline bool is_payload(std::span<const std::byte> bytes, std::uint64_t seed) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != payload_byte(seed, i)) return false;
  }
  return true;
}

}  // namespace memlane::test
