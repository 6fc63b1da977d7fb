// What ports are made to do while something fails. A pattern is a table of scenarios; the driver takes any.
#pragma once

#include <array>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "trial.hpp"

namespace memlane::nth_call {

struct Scenario {
  const char* name;
  void (*play)(Trial& trial);
  bool passes_all_names = false;  // those of a directory, of doors, folders and files, as they come and go
};

[[nodiscard]] std::span<const Scenario> publish_subscribe() noexcept;

struct Pattern {
  const char* name;
  std::span<const Scenario> scenarios;
};

/// Every pattern that lanes carry. Another one is another entry, with scenarios of its own.
[[nodiscard]] inline std::array<Pattern, 1> patterns() noexcept {
  return {{{"publish_subscribe", publish_subscribe()}}};
}

/// A scenario of a pattern, in a directory for one user or for a group: there names are made by other steps.
struct Played {
  Scenario scenario;
  std::string name;
  bool for_a_group = false;

  friend void PrintTo(const Played& played, std::ostream* out) { *out << played.name; }  // for GoogleTest
};

[[nodiscard]] inline std::vector<Played> all_that_is_played() {
  std::vector<Played> all;
  for (const Pattern& pattern : patterns()) {
    for (const Scenario& scenario : pattern.scenarios) {
      const std::string name = std::string(pattern.name) + "_" + scenario.name;
      all.push_back({scenario, name, false});
      if (scenario.passes_all_names) all.push_back({scenario, name + "_for_a_group", true});
    }
  }
  return all;
}

}  // namespace memlane::nth_call
