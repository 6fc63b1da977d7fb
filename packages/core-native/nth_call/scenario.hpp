// What ports are made to do while something fails. A pattern is a table of scenarios; the driver takes any.
#pragma once

#include <ostream>
#include <span>

#include "trial.hpp"

namespace memlane::nth_call {

struct Scenario {
  const char* name;
  void (*play)(Trial& trial);

  friend void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }  // for GoogleTest
};

[[nodiscard]] std::span<const Scenario> publish_subscribe() noexcept;

}  // namespace memlane::nth_call
