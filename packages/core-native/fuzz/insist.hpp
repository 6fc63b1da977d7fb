// What must hold whatever a peer does. A fuzzer that finds otherwise says so and ends, and libFuzzer keeps its input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace memlane::fuzz {

inline void insist(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace memlane::fuzz
