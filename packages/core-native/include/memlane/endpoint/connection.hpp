// One connection to another process: sends without waiting, in order, from any thread; received by the service thread.
#pragma once

#include <fcntl.h>
#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "memlane/layout/message.hpp"
#include "memlane/platform/clock.hpp"
#include "memlane/platform/door.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/poller.hpp"

namespace memlane::detail {

class Connection {
 public:
  Connection(platform::Handle socket, platform::Poller& poller, std::uint64_t key)
      : socket_(std::move(socket)), poller_(poller), key_(key) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] std::uint64_t key() const noexcept { return key_; }
  [[nodiscard]] const platform::Handle& socket() const noexcept { return socket_; }

  /// Sends now, or queues behind what could not be sent yet; then the handles are duplicated, so the caller may close its
  /// own at once. False: the other end is gone. Throws Error(descriptor_limit) if a handle cannot be kept.
  bool send(const MessageBytes& message, std::span<const int> handles = {}) {
    const std::lock_guard lock(mutex_);
    if (gone_) return false;
    if (queue_.empty()) {
      const platform::Sent sent = platform::send_message(socket_, message.bytes(), handles);
      if (sent == platform::Sent::done) return true;
      if (sent == platform::Sent::gone) {
        gone_ = true;
        return false;
      }
      enqueue(message, handles);
      postpone(sent);
      return true;
    }
    enqueue(message, handles);
    return true;
  }

  /// Sends what waits. Called by the service thread when there is room, or when the pause is over.
  void flush() {
    const std::lock_guard lock(mutex_);
    retry_at_ = 0;
    while (!queue_.empty() && !gone_) {
      std::array<int, platform::max_handles> handles{};
      const Queued& next = queue_.front();
      for (std::size_t i = 0; i < next.handles.size(); ++i) handles[i] = next.handles[i].get();
      const platform::Sent sent =
          platform::send_message(socket_, next.bytes, std::span(handles).first(next.handles.size()));
      if (sent == platform::Sent::done) {
        queue_.pop_front();
        fault_point("message.flushed");
        continue;
      }
      if (sent == platform::Sent::gone) {
        gone_ = true;
        break;
      }
      postpone(sent);
      return;
    }
    poller_.want_writable(socket_, key_, false);
  }

  /// The process at the other end is gone: nothing can be sent any more, even if a stray child of it holds the socket.
  void mark_gone() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    queue_.clear();
  }

  [[nodiscard]] bool has_queued() const {
    const std::lock_guard lock(mutex_);
    return !queue_.empty() && !gone_;
  }

  /// When flush() should be called though the socket never says so (nanoseconds), or 0.
  [[nodiscard]] std::int64_t retry_at() const {
    const std::lock_guard lock(mutex_);
    return retry_at_;
  }

 private:
  struct Queued {
    std::vector<std::byte> bytes;
    std::vector<platform::Handle> handles;
  };

  // The limit of handles under way is lifted when any peer of this user reads: nobody tells, so we look again.
  static constexpr std::int64_t handles_pause = 10'000'000;  // nanoseconds

  void enqueue(const MessageBytes& message, std::span<const int> handles) {
    Queued queued;
    queued.bytes.assign(message.bytes().begin(), message.bytes().end());
    for (const int handle : handles) {
      auto copy = platform::Handle::made_by([&] { return ::fcntl(handle, F_DUPFD_CLOEXEC, 0); });
      if (!copy)
        throw Error(ErrorCode::descriptor_limit,
                    "no descriptor left to keep a message for a peer that does not read; raise ulimit -n");
      queued.handles.push_back(std::move(copy));
    }
    queue_.push_back(std::move(queued));
    fault_point("message.queued");
  }

  void postpone(platform::Sent reason) {
    if (reason == platform::Sent::later) {
      poller_.want_writable(socket_, key_, true);
    } else {
      retry_at_ = platform::monotonic_now() + handles_pause;
      poller_.wake();
    }
  }

  platform::Handle socket_;
  platform::Poller& poller_;
  std::uint64_t key_;
  mutable std::mutex mutex_;
  std::deque<Queued> queue_;
  std::int64_t retry_at_ = 0;
  bool gone_ = false;
};

}  // namespace memlane::detail
