// Another process that we share a lane with (or ourselves, where both ends of a lane are in one process).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "memlane/endpoint/allowance.hpp"
#include "memlane/endpoint/connection.hpp"
#include "memlane/roster/identity.hpp"

namespace memlane::detail {

/// Two processes may connect to each other at the same moment. Neither connection is dropped: each side sends on the first
/// it had, for ever, and listens on both. So nothing is lost and each direction keeps its order.
class Peer {
 public:
  Peer(EndpointId id, std::shared_ptr<Connection> first, std::shared_ptr<Allowance> allowance)
      : id_(id), allowance_(std::move(allowance)), sending_(std::move(first)) {
    all_.push_back(sending_);
  }

  [[nodiscard]] const EndpointId& id() const noexcept { return id_; }
  [[nodiscard]] const std::shared_ptr<Allowance>& allowance() const noexcept { return allowance_; }

  bool send(const MessageBytes& message, std::span<const int> handles = {}) const {
    return sending_->send(message, handles);
  }

  /// See Connection::send_now and is_crowded.
  Connection::Now send_now(const MessageBytes& message, std::span<const int> handles) const noexcept {
    return sending_->send_now(message, handles);
  }
  [[nodiscard]] bool is_crowded() const { return sending_->is_crowded(); }

  void add(std::shared_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(connection));
  }

  /// Whether it is certain that the name is its own: we have met it at the door of that name.
  [[nodiscard]] bool is_proved() const {
    const std::lock_guard lock(mutex_);
    return proved_;
  }
  void prove() {
    const std::lock_guard lock(mutex_);
    proved_ = true;
  }

  [[nodiscard]] std::vector<std::shared_ptr<Connection>> connections() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  EndpointId id_;
  std::shared_ptr<Allowance> allowance_;
  std::shared_ptr<Connection> sending_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Connection>> all_;
  bool proved_ = false;
};

}  // namespace memlane::detail
