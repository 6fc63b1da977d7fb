// CRC-32C by the processor's own instruction (x86: SSE 4.2; ARM: the CRC extension of version 8), called only where
// platform::has_crc32c() says that it is there.
//
// One instruction waits three cycles for the one before it, and a new one can begin in each: so three parts of a large
// payload are summed side by side, and put together by multiplication (V. Gopal et al., "Fast CRC Computation for iSCSI
// Polynomial Using CRC32 Instruction", Intel, 2011; the sizes are those of M. Adler's crc32c.c).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "memlane/checksum/polynomial.hpp"

#if defined(__x86_64__)
#include <nmmintrin.h>
// For these functions alone: the program around them may run where there is no such instruction.
#define MEMLANE_WITH_CRC_INSTRUCTION __attribute__((target("sse4.2")))
#elif defined(__aarch64__)
#define MEMLANE_WITH_CRC_INSTRUCTION
#endif

namespace memlane::detail::crc {

#if defined(MEMLANE_WITH_CRC_INSTRUCTION)

inline constexpr bool instruction_is_known = true;

MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t add_byte(std::uint32_t reg, std::byte byte) noexcept {
#if defined(__x86_64__)
  return _mm_crc32_u8(reg, static_cast<std::uint8_t>(byte));
#else
  asm(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(reg) : "r"(static_cast<std::uint32_t>(byte)));
  return reg;
#endif
}

MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t add_word(std::uint32_t reg, const std::byte* data) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, data, sizeof word);
#if defined(__x86_64__)
  return static_cast<std::uint32_t>(_mm_crc32_u64(reg, word));
#else
  asm(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(reg) : "r"(word));
  return reg;
#endif
}

/// Sums as many times three parts of `Part` bytes as there are, and moves on behind them.
template <std::size_t Part>
MEMLANE_WITH_CRC_INSTRUCTION inline void add_parts(std::uint32_t& reg, const std::byte*& data,
                                                   std::size_t& bytes) noexcept {
  for (; bytes >= 3 * Part; data += 3 * Part, bytes -= 3 * Part) {
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (std::size_t i = 0; i < Part; i += 8) {
      reg = add_word(reg, data + i);
      second = add_word(second, data + i + Part);
      third = add_word(third, data + i + 2 * Part);
    }
    reg = behind_it_zeros<Part>(behind_it_zeros<Part>(reg) ^ second) ^ third;
  }
}

/// The register after `bytes` more.
[[nodiscard]] MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t by_instruction(std::uint32_t reg, const std::byte* data,
                                                                               std::size_t bytes) noexcept {
  add_parts<8192>(reg, data, bytes);
  add_parts<256>(reg, data, bytes);
  for (; bytes >= 8; data += 8, bytes -= 8) reg = add_word(reg, data);
  for (; bytes != 0; ++data, --bytes) reg = add_byte(reg, *data);
  return reg;
}

#undef MEMLANE_WITH_CRC_INSTRUCTION

#else

inline constexpr bool instruction_is_known = false;
std::uint32_t by_instruction(std::uint32_t reg, const std::byte* data, std::size_t bytes) noexcept;  // never called

#endif

}  // namespace memlane::detail::crc
