// One connection to another process: sends without waiting, in order, from any thread; received by the service thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "memlane/error.hpp"
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
  ~Connection() {
    if (distrusted_) platform::close_aside(std::move(socket_));
  }

  /// Swaps the socket, before anybody else knows of this connection.
  void adopt(platform::Handle& socket) noexcept { std::swap(socket_, socket); }

  [[nodiscard]] std::uint64_t key() const noexcept { return key_; }
  [[nodiscard]] const platform::Handle& socket() const noexcept { return socket_; }

  /// Sends now, or queues behind what could not be sent yet; then the handles are duplicated, so the caller may close its
  /// own at once. False: the other end is gone. Throws Error(descriptor_limit | out_of_memory | peer_frozen) if the handles
  /// cannot be kept. A message without handles that cannot be kept ends the connection, which both sides hear: a peer that
  /// misses one would wait for it for ever.
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
      if (!keep(message, handles)) return false;
      postpone(sent);
      return true;
    }
    return keep(message, handles);
  }

  enum class Now : std::uint8_t { sent, no_room, gone };

  /// Sends now, or not at all. If there is no room, flush() says when there may be.
  Now send_now(const MessageBytes& message, std::span<const int> handles) noexcept {
    const std::lock_guard lock(mutex_);
    if (gone_) return Now::gone;
    if (queue_.empty()) {
      const platform::Sent sent = platform::send_message(socket_, message.bytes(), handles);
      if (sent == platform::Sent::done) return Now::sent;
      if (sent == platform::Sent::gone) {
        gone_ = true;
        return Now::gone;
      }
      postpone(sent);
    }
    room_wanted_ = true;
    return Now::no_room;
  }

  /// Whether so much waits for this peer already that nothing new should be begun with it: it is frozen, or slow. What is
  /// kept for a peer costs descriptors that the rest of the process may need.
  [[nodiscard]] bool is_crowded() const {
    const std::lock_guard lock(mutex_);
    return kept_handles_ >= crowd_of_handles || queue_.size() >= crowd_of_messages;
  }

  /// Sends what waits. Called by the service thread when there is room, or when the pause is over. True: there is room for
  /// more, and somebody had wanted it.
  bool flush() noexcept {
    const std::lock_guard lock(mutex_);
    retry_at_ = 0;
    while (!queue_.empty() && !gone_) {
      std::array<int, platform::max_handles> handles{};
      const Queued& next = queue_.front();
      for (std::size_t i = 0; i < next.handles.size(); ++i) handles[i] = next.handles[i].get();
      const platform::Sent sent =
          platform::send_message(socket_, next.bytes, std::span(handles).first(next.handles.size()));
      if (sent == platform::Sent::done) {
        kept_handles_ -= next.handles.size();
        queue_.pop_front();
        fault_point("message.flushed");
        continue;
      }
      if (sent == platform::Sent::gone) {
        gone_ = true;
        break;
      }
      postpone(sent);
      return false;
    }
    poller_.want_writable(socket_, key_, false);
    return std::exchange(room_wanted_, false);
  }

  /// The process at the other end is gone: nothing can be sent any more, even if a stray child of it holds the socket.
  void mark_gone() noexcept {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    queue_.clear();
    kept_handles_ = 0;
  }

  /// The peer does not keep to the protocol: what it has sent is not read any more, and may be anything, so that the end of
  /// this connection must hold nobody up. By the service thread.
  void distrust() noexcept {
    platform::stop_receiving(socket_);
    platform::hang_up(socket_);
    distrusted_ = true;
  }

  /// Notes down descriptors that nobody asked for. False: they are too many for one connection. By the service thread.
  [[nodiscard]] bool bears_strangers(std::size_t more) noexcept {
    strangers_ += more;
    return strangers_ <= most_strangers_of_one;
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

  // What the kernel lacks, or the limit of handles under way, is given back when somebody else reads or ends: nobody tells, so
  // we look again.
  static constexpr std::int64_t untold_pause = 10'000'000;  // nanoseconds

  // From here on nothing new is begun with a peer; answers to what it asks are kept up to the second bound.
  static constexpr std::size_t crowd_of_handles = 64;
  static constexpr std::size_t crowd_of_messages = 256;
  static constexpr std::size_t most_kept_handles = 256;
  // A peer that makes us talk and never listens. One that is only frozen asks for nothing: it gets here only if this process
  // has as many links with it, and ends them all meanwhile.
  static constexpr std::size_t most_kept_messages = 16384;

  // A peer that has made a mistake may hear which one; another that sends them on and on has made none.
  static constexpr std::size_t most_strangers_of_one = 16;

  /// False: the connection is over, since the message could not be kept.
  bool keep(const MessageBytes& message, std::span<const int> handles) {
    if (kept_handles_ + handles.size() > most_kept_handles) {
      throw Error(ErrorCode::peer_frozen, "a peer does not read what it is sent, and " + std::to_string(kept_handles_) +
                                              " handles wait for it already");
    }
    try {
      if (queue_.size() >= most_kept_messages) throw std::bad_alloc();
      Queued queued;
      queued.bytes.assign(message.bytes().begin(), message.bytes().end());
      queued.handles.reserve(handles.size());
      for (const int handle : handles) queued.handles.push_back(platform::duplicate(handle));
      queue_.push_back(std::move(queued));
    } catch (const std::bad_alloc&) {
      if (!handles.empty()) throw;
      platform::hang_up(socket_);
      gone_ = true;
      return false;
    }
    kept_handles_ += handles.size();
    fault_point("message.queued");
    return true;
  }

  void postpone(platform::Sent reason) noexcept {
    if (reason == platform::Sent::later && poller_.want_writable(socket_, key_, true)) return;
    retry_at_ = platform::monotonic_now() + untold_pause;
    poller_.wake();
  }

  platform::Handle socket_;
  platform::Poller& poller_;
  std::uint64_t key_;
  mutable std::mutex mutex_;
  std::deque<Queued> queue_;
  std::size_t kept_handles_ = 0;  // in the queue
  bool room_wanted_ = false;      // by who sends now or not at all
  std::int64_t retry_at_ = 0;
  bool gone_ = false;
  std::size_t strangers_ = 0;  // sent by the peer so far; the service thread's
  bool distrusted_ = false;    // the service thread's, until the connection is over
};

}  // namespace memlane::detail
