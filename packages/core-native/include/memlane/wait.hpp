// Waiting on many ports at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

#include "memlane/any_port.hpp"
#include "memlane/error.hpp"
#include "memlane/platform/wait_any.hpp"
#include "memlane/timeout.hpp"

namespace memlane {

/// Waits until at least one of the ports is ready: a receiving port has something to take, a sending one has room. Returns
/// the indexes of those that are; none if the time is over. Throws Error(closed) for a port that is closed, and
/// Error(invalid_argument) for a wait on no ports that has no end. `interrupt` is for bindings.
[[nodiscard]] inline std::vector<std::size_t> wait(std::span<const std::reference_wrapper<AnyPort>> ports,
                                                   Timeout timeout = forever, const detail::Interrupt& interrupt = {}) {
  if (ports.empty() && timeout.is_forever()) {
    throw Error(ErrorCode::invalid_argument, "a wait on no ports would never end; give it a port, or a timeout");
  }
  // A signal that went to another thread is asked for this often, as in the waits of a single port.
  constexpr std::int64_t slice = 100'000'000;  // nanoseconds
  const detail::Deadline deadline(timeout);
  std::vector<int> descriptors;
  descriptors.reserve(ports.size());
  for (AnyPort& port : ports) descriptors.push_back(port.fileno());
  for (;;) {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i].get().ready()) ready.push_back(i);
    }
    if (!ready.empty() || deadline.passed()) return ready;
    const std::int64_t span = deadline.remaining();
    detail::platform::wait_any(descriptors, interrupt.asked == nullptr ? span : std::min(span, slice));
    if (interrupt.pending()) throw Error(ErrorCode::interrupted, "a wait on several ports was interrupted");
  }
}

[[nodiscard]] inline std::vector<std::size_t> wait(std::initializer_list<std::reference_wrapper<AnyPort>> ports,
                                                   Timeout timeout = forever) {
  return wait(std::span(ports.begin(), ports.size()), timeout);
}

}  // namespace memlane
