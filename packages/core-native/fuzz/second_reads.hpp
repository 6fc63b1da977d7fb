// Every second read of a shared word is answered differently: whoever reads a field twice and trusts both is found out.
#pragma once

#include <array>
#include <cstdint>

#include "memlane/layout/shared.hpp"

#if !defined(MEMLANE_FAULTS)
#error "the fuzzers need the core's test hooks: compile with MEMLANE_FAULTS"
#endif

namespace memlane::fuzz {

class SecondReads {
 public:
  /// From here on each word is read for the first time again, and each second read is off by `difference` (0: honest).
  static void answer(std::uint64_t difference) noexcept {
    State& s = state();
    s.difference = difference;
    s.read.fill(nullptr);
    detail::load_hook = difference == 0 ? nullptr : &load;
  }

 private:
  struct State {
    std::uint64_t difference = 0;
    std::array<const detail::SharedWord*, 1024> read{};  // by address; of two that share a place the last one counts
  };
  static State& state() noexcept {
    static State only;
    return only;
  }

  static std::uint64_t load(const detail::SharedWord& word, std::uint64_t value) noexcept {
    State& s = state();
    const detail::SharedWord*& known = s.read[reinterpret_cast<std::uintptr_t>(&word) / sizeof word % s.read.size()];
    if (known == &word) {
      known = nullptr;
      return value + s.difference;
    }
    known = &word;
    return value;
  }
};

}  // namespace memlane::fuzz
