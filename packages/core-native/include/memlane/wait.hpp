// Waiting on many ports at once.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

#include "memlane/any_port.hpp"
#include "memlane/platform/wait_any.hpp"
#include "memlane/timeout.hpp"

namespace memlane {

/// Waits until at least one of the ports is ready: a receiving port has something to take, a sending one has room. Returns
/// the indexes of those that are; none if the time is over. Throws Error(closed) for a port that is closed.
[[nodiscard]] inline std::vector<std::size_t> wait(std::span<const std::reference_wrapper<AnyPort>> ports,
                                                   Timeout timeout = forever) {
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
    detail::platform::wait_any(descriptors, deadline.remaining());
  }
}

[[nodiscard]] inline std::vector<std::size_t> wait(std::initializer_list<std::reference_wrapper<AnyPort>> ports,
                                                   Timeout timeout = forever) {
  return wait(std::span(ports.begin(), ports.size()), timeout);
}

}  // namespace memlane
