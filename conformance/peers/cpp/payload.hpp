// What payloads hold, and how they are checked. Every language makes the same bytes from a seed, and sums them up with
// the CRC-32 of zlib; the driver knows both, so that a payload is right only if it is what was meant to be sent.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace conformance {

/// The CRC-32 of zlib, PNG and Ethernet, eight bytes at a time.
class Crc32 {
 public:
  void add(std::span<const std::byte> bytes) noexcept {
    while (bytes.size() >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), 8);
      word ^= state_;
      state_ = 0;
      for (std::size_t i = 0; i < 8; ++i) state_ ^= tables[7 - i][(word >> (8 * i)) & 0xFFU];
      bytes = bytes.subspan(8);
    }
    for (const std::byte byte : bytes) {
      state_ = (state_ >> 8U) ^ tables[0][(state_ ^ static_cast<std::uint32_t>(byte)) & 0xFFU];
    }
  }

  [[nodiscard]] std::uint32_t value() const noexcept { return ~state_; }

 private:
  using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

  // tables[n][b]: what byte b does to the sum when n more bytes follow it.
  static constexpr Tables tables = [] {
    Tables made{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint32_t sum = byte;
      for (int bit = 0; bit < 8; ++bit) sum = (sum & 1U) != 0 ? (sum >> 1U) ^ 0xEDB88320U : sum >> 1U;
      made[0][byte] = sum;
    }
    for (std::size_t n = 1; n < 8; ++n) {
      for (std::size_t byte = 0; byte < 256; ++byte) {
        made[n][byte] = (made[n - 1][byte] >> 8U) ^ made[0][made[n - 1][byte] & 0xFFU];
      }
    }
    return made;
  }();

  std::uint32_t state_ = 0xFFFFFFFFU;
};

inline constexpr std::uint64_t period = 65521;  // bytes: a prime, so that no power of two hides a shifted copy

/// Fills `bytes` with what belongs at position `at` of the endless pattern of `seed`.
inline void fill(std::span<std::byte> bytes, std::uint64_t seed, std::uint64_t at = 0) {
  static const std::vector<std::byte> pattern = [] {
    std::vector<std::byte> made(period);
    std::uint32_t state = 0x9E3779B9U;
    for (std::byte& byte : made) {  // xorshift32
      state ^= state << 13U;
      state ^= state >> 17U;
      state ^= state << 5U;
      byte = static_cast<std::byte>(state >> 24U);
    }
    return made;
  }();
  std::uint64_t position = (seed * 40503 + at) % period;
  while (!bytes.empty()) {
    const std::size_t part = std::min<std::size_t>(bytes.size(), period - position);
    std::memcpy(bytes.data(), pattern.data() + position, part);
    bytes = bytes.subspan(part);
    position = 0;
  }
}

/// The parts of a payload that are filled and summed up: all of it, or, where `stride` is not 0, a window around each
/// multiple of `stride`, and the end. So a payload of gigabytes can be checked at every place where an offset might be
/// cut off, without touching each of its pages.
struct Windows {
  static constexpr std::uint64_t half = 2048;  // bytes on either side
  std::uint64_t stride = 0;

  template <class Visit>  // visit(position, length)
  void each(std::uint64_t size, Visit&& visit) const {
    if (stride == 0) return visit(std::uint64_t{0}, size);
    std::uint64_t done = 0;
    for (std::uint64_t middle = 0; middle <= size; middle += stride) {
      const std::uint64_t begin = std::max(done, middle - std::min(middle, half));
      const std::uint64_t end = std::min(size, middle + half);
      if (begin < end) visit(begin, end - begin);
      done = end;
    }
    if (const std::uint64_t begin = std::max(done, size - std::min(size, half)); begin < size)
      visit(begin, size - begin);
  }

  void write(std::span<std::byte> bytes, std::uint64_t seed) const {
    each(bytes.size(), [&](std::uint64_t at, std::uint64_t length) { fill(bytes.subspan(at, length), seed, at); });
  }

  void sum_up(std::span<const std::byte> bytes, Crc32& crc) const {
    each(bytes.size(), [&](std::uint64_t at, std::uint64_t length) { crc.add(bytes.subspan(at, length)); });
  }
};

}  // namespace conformance
