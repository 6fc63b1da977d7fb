// Endpoints at whose door nobody seems to answer, until it is certain whether somebody does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>
#include <set>

#include "memlane/endpoint/graveyard.hpp"
#include "memlane/platform/clock.hpp"
#include "memlane/platform/poller.hpp"
#include "memlane/roster/directory.hpp"
#include "memlane/roster/identity.hpp"

namespace memlane::detail {

/// A process that dies closes one descriptor after the other, and its door may be the last: so each is looked at again, a
/// bounded number of times. Its mutex is the last one that is taken; names are removed without it.
class Burials {
 public:
  Burials(const Directory& directory, const EndpointId& self, const platform::Poller& poller) noexcept
      : directory_(directory), self_(self), poller_(poller) {}

  /// Has the service thread remove an endpoint's door, and its ports' names wherever they are, if nobody answers there.
  /// From any thread. If there is no memory to note it down, the next process to join sweeps.
  void add(const EndpointId& dead) noexcept {
    try {
      const std::lock_guard lock(mutex_);
      to_bury_.try_emplace(dead);
      poller_.wake();
    } catch (const std::bad_alloc&) {
      return;
    }
  }

  /// When the next one is due, or `never`.
  [[nodiscard]] std::int64_t next_at() const noexcept {
    const std::lock_guard lock(mutex_);
    std::int64_t next = platform::never;
    for (const auto& [endpoint, burial] : to_bury_) next = std::min(next, burial.at);
    return next;
  }

  [[nodiscard]] bool are_done() const noexcept {
    const std::lock_guard lock(mutex_);
    return to_bury_.empty();
  }

  /// Called by the service thread.
  void run_due() {
    std::set<EndpointId> due;
    {
      const std::lock_guard lock(mutex_);
      const std::int64_t now = platform::monotonic_now();
      for (const auto& [endpoint, burial] : to_bury_) {
        if (burial.at <= now) due.insert(endpoint);
      }
    }
    if (due.empty()) return;
    const std::set<EndpointId> answering = bury_if_dead(directory_, self_, due);
    const std::lock_guard lock(mutex_);
    for (const EndpointId& endpoint : due) {
      Burial& burial = to_bury_[endpoint];
      if (!answering.contains(endpoint) || ++burial.attempts == most_attempts) {
        to_bury_.erase(endpoint);
      } else {
        burial.at = platform::monotonic_now() + (first_pause << burial.attempts);
      }
    }
  }

 private:
  struct Burial {
    std::int64_t at = 0;
    int attempts = 0;
  };

  static constexpr std::int64_t first_pause = 1'000'000;  // nanoseconds; doubled each time
  static constexpr int most_attempts = 12;                // 8 seconds in all

  const Directory& directory_;
  const EndpointId& self_;
  const platform::Poller& poller_;
  mutable std::mutex mutex_;
  std::map<EndpointId, Burial> to_bury_;
};

}  // namespace memlane::detail
