// What ports want to try again in a while: doors that were busy, peers that were crowded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "memlane/endpoint/port.hpp"
#include "memlane/platform/clock.hpp"
#include "memlane/platform/poller.hpp"

namespace memlane::detail {

/// Its mutex is the last one that is taken: a port is called without it.
class Retries {
 public:
  /// Nanoseconds until what could not be done now is tried again.
  static constexpr std::int64_t pause = 20'000'000;

  explicit Retries(const platform::Poller& poller) noexcept : poller_(poller) {}

  /// Has the service thread call `on_retry(address)` of the port in a while. From any thread.
  void add(const std::shared_ptr<Port>& port, const PortAddress& address) {
    const std::lock_guard lock(mutex_);
    retries_.push_back({platform::monotonic_now() + pause, port, address});
    poller_.wake();
  }

  /// When the next one is due, or `never`.
  [[nodiscard]] std::int64_t next_at() const noexcept {
    const std::lock_guard lock(mutex_);
    std::int64_t next = platform::never;
    for (const Retry& retry : retries_) next = std::min(next, retry.at);
    return next;
  }

  /// Tries again what was due at that time. Called by the service thread.
  void run_due(std::int64_t now) {
    while (auto retry = take_due(now)) {
      const auto port = retry->port.lock();
      if (!port) continue;
      try {
        port->on_retry(retry->address);
      } catch (const std::exception&) {
        // No descriptor left to knock with, say: later. Nobody else would make up for it.
        add(port, retry->address);
      }
    }
  }

 private:
  struct Retry {
    std::int64_t at;
    std::weak_ptr<Port> port;
    PortAddress address;
  };

  std::optional<Retry> take_due(std::int64_t now) noexcept {
    const std::lock_guard lock(mutex_);
    const auto due = std::ranges::find_if(retries_, [&](const Retry& retry) { return retry.at <= now; });
    if (due == retries_.end()) return std::nullopt;
    Retry retry = std::move(*due);
    retries_.erase(due);
    return retry;
  }

  const platform::Poller& poller_;
  mutable std::mutex mutex_;
  std::vector<Retry> retries_;
};

}  // namespace memlane::detail
