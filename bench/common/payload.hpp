// What every payload of the benchmark holds, so that no figure stands for data that did not arrive.
//
// 32-bit words, native byte order: the first is the round's number, the last its complement, word i between them is i.
// Receivers look at the two ends each round, and at all of it when the user header says so; their answer is two words:
// the payload's first and last as they saw them, the last as 0 where the rest was wrong.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>

namespace bench {

using Answer = std::array<std::uint32_t, 2>;

/// User headers: of a payload that is to be looked at as a whole, and of the message that ends a run and has no answer.
inline constexpr std::array<std::byte, 1> look_at_all{std::byte{'w'}};
inline constexpr std::array<std::byte, 1> the_end{std::byte{'e'}};

[[nodiscard]] inline bool is(std::span<const std::byte> header, const std::array<std::byte, 1>& kind) {
  return header.size() == 1 && header[0] == kind[0];
}

/// At least two words. Only the ends change from round to round.
inline void stamp(std::span<std::byte> payload, std::uint32_t round) {
  const std::uint32_t end = ~round;
  std::memcpy(payload.data(), &round, sizeof round);
  std::memcpy(payload.data() + payload.size() - sizeof end, &end, sizeof end);
}

inline void fill(std::span<std::byte> payload) {
  for (std::uint32_t i = 0; i < payload.size() / sizeof i; ++i)
    std::memcpy(payload.data() + i * sizeof i, &i, sizeof i);
}

[[nodiscard]] inline std::uint32_t word(std::span<const std::byte> payload, std::size_t index) {
  std::uint32_t value = 0;
  std::memcpy(&value, payload.data() + index * sizeof value, sizeof value);
  return value;
}

/// What a receiver answers.
[[nodiscard]] inline Answer answer_to(std::span<const std::byte> payload, bool all) {
  const std::size_t last = payload.size() / sizeof(std::uint32_t) - 1;
  Answer answer{word(payload, 0), word(payload, last)};
  if (all) {
    for (std::size_t i = 1; i < last; ++i) {
      if (word(payload, i) != i) answer[1] = 0;
    }
  }
  return answer;
}

/// Throws where the answer is not the one to round `round`.
inline void check(std::span<const std::byte> answer, std::uint32_t round) {
  const Answer right{round, ~round};
  if (answer.size() != sizeof right || std::memcmp(answer.data(), right.data(), sizeof right) != 0) {
    throw std::runtime_error("round " + std::to_string(round) + " did not arrive as it was sent");
  }
}

/// Memory with a page-aligned start, as real sources of large data have it.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes) : bytes_(bytes), memory_(new (std::align_val_t{4096}) std::byte[bytes]) {
    fill(span());
  }
  [[nodiscard]] std::span<std::byte> span() noexcept { return {memory_.get(), bytes_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { operator delete[](memory, std::align_val_t{4096}); }
  };
  std::size_t bytes_;
  std::unique_ptr<std::byte[], Free> memory_;
};

}  // namespace bench
