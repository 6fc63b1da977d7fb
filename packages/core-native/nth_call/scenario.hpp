// What ports are made to do while something fails. A pattern is a table of scenarios; the driver takes any.
#pragma once

#include <span>

#include "trial.hpp"

namespace memlane::nth_call {

struct Scenario {
  const char* name;
  void (*play)(Trial& trial);
};

[[nodiscard]] std::span<const Scenario> publish_subscribe() noexcept;

}  // namespace memlane::nth_call
