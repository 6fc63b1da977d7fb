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

MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t add_word(std::uint32_t reg, std::uint64_t word) noexcept {
#if defined(__x86_64__)
  return static_cast<std::uint32_t>(_mm_crc32_u64(reg, word));
#else
  asm(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(reg) : "r"(word));
  return reg;
#endif
}

/// Where words are read from.
struct Source {
  const std::byte* from;

  [[nodiscard]] std::uint64_t word(std::size_t offset) const noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, from + offset, sizeof word);
    return word;
  }
  void move_on(std::size_t bytes) noexcept { from += bytes; }
};

/// The same, and each word that is read is copied: what is summed is what was copied, whoever writes to the source meanwhile.
template <bool PastCache>
struct CopiedSource {
  const std::byte* from;
  std::byte* to;

  [[nodiscard]] std::uint64_t word(std::size_t offset) const noexcept {
    std::uint64_t word = Source{from}.word(offset);
    asm("" : "+r"(word));  // the compiler cannot read it again
#if defined(__x86_64__)
    if constexpr (PastCache) {
      _mm_stream_si64(reinterpret_cast<long long*>(to + offset), static_cast<long long>(word));
      return word;
    }
#endif
    std::memcpy(to + offset, &word, sizeof word);
    return word;
  }
  void move_on(std::size_t bytes) noexcept {
    from += bytes;
    to += bytes;
  }
};

/// The register after as many times three parts of `Part` bytes as there are; moves on behind them.
template <std::size_t Part, class Words>
[[nodiscard]] MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t add_parts(std::uint32_t reg, Words& words,
                                                                          std::size_t& bytes) noexcept {
  for (; bytes >= 3 * Part; words.move_on(3 * Part), bytes -= 3 * Part) {
    const Words here = words;  // of our own, so that the compiler need not think that what is copied lands in it
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (std::size_t i = 0; i < Part; i += 8) {
      reg = add_word(reg, here.word(i));
      second = add_word(second, here.word(i + Part));
      third = add_word(third, here.word(i + 2 * Part));
    }
    reg = behind_it_zeros<Part>(behind_it_zeros<Part>(reg) ^ second) ^ third;
  }
  return reg;
}

/// The register after all whole words; moves on behind them.
template <class Words>
[[nodiscard]] MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t add_words(std::uint32_t reg, Words& words,
                                                                          std::size_t& bytes) noexcept {
  reg = add_parts<8192>(reg, words, bytes);
  reg = add_parts<256>(reg, words, bytes);
  for (; bytes >= 8; words.move_on(8), bytes -= 8) reg = add_word(reg, words.word(0));
  return reg;
}

MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t add_bytes(std::uint32_t reg, const std::byte* data,
                                                            std::size_t bytes) noexcept {
  for (; bytes != 0; ++data, --bytes) reg = add_byte(reg, *data);
  return reg;
}

/// The register after `bytes` more.
[[nodiscard]] MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t by_instruction(std::uint32_t reg, const std::byte* data,
                                                                               std::size_t bytes) noexcept {
  Source words{data};
  reg = add_words(reg, words, bytes);
  return add_bytes(reg, words.from, bytes);
}

/// The same, and copies them.
template <bool PastCache>
[[nodiscard]] MEMLANE_WITH_CRC_INSTRUCTION inline std::uint32_t copy_by_instruction(std::uint32_t reg, std::byte* to,
                                                                                    const std::byte* from,
                                                                                    std::size_t bytes) noexcept {
  CopiedSource<PastCache> words{from, to};
  reg = add_words(reg, words, bytes);
  if (bytes != 0) std::memcpy(words.to, words.from, bytes);
#if defined(__x86_64__)
  if constexpr (PastCache) _mm_sfence();  // else such stores may come after the one that tells of them
#endif
  return add_bytes(reg, words.to, bytes);
}

#undef MEMLANE_WITH_CRC_INSTRUCTION

#else

inline constexpr bool instruction_is_known = false;
std::uint32_t by_instruction(std::uint32_t reg, const std::byte* data, std::size_t bytes) noexcept;  // never called

#endif

}  // namespace memlane::detail::crc
