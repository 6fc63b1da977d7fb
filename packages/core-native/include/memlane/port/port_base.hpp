// What every port does, whatever its kind: join a lane, meet the ports of the opposite kind, leave.
//
// Joining takes no lock: announce, look who is there, call each. A receiving port calls with its half of the link, a
// sending port with an invitation, since the receiver's half comes first: it says how deep the sender's ring must be.
// Two that call each other at the same moment make one link.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "memlane/endpoint/endpoint_table.hpp"
#include "memlane/error.hpp"
#include "memlane/lane_name.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/port/waiter.hpp"
#include "memlane/roster/lane_folder.hpp"

namespace memlane::detail {

class PortBase : public Port, public Armable, public std::enable_shared_from_this<PortBase> {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return lane_; }
  [[nodiscard]] PortKind kind() const noexcept { return kind_; }

  /// The one descriptor to wait for this port with. Readable whenever there may be something; a look that finds nothing
  /// makes it quiet again. Belongs to the port.
  [[nodiscard]] int fileno() {
    const auto lock = enter();
    waiter_.watch();
    return waiter_.bell().waitable();
  }

  /// The same as a descriptor of the caller's own, for an event loop that reads the bell empty whenever it rings, and
  /// closes what it reads.
  [[nodiscard]] platform::Handle own_fileno() {
    const auto lock = enter();
    auto own = waiter_.bell().another_read_end();
    waiter_.watch(Waiter::WhoReads::the_loop);
    return own;
  }

  /// Whether this process is a fork of the one that the port belongs to.
  [[nodiscard]] bool was_forked() const noexcept { return forked(); }

  [[nodiscard]] bool closed() const {
    if (forked()) return true;
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  /// Ends every call that waits now, as if its time were over. Later calls wait again.
  void stop() {
    const auto lock = enter();
    ++stops_;
    waiter_.wake_all();
    settled_.notify_all();
  }

  // ---- the service thread ----

  void on_retry(const PortAddress& address) final { meet(address); }

  void on_message(const std::shared_ptr<Peer>& peer, const PortMessage& message) noexcept final {
    Ended ended;  // outlives the lock
    const std::lock_guard lock(mutex_);
    const PortAddress from{peer->id(), message.from_port};
    if (closed_ && (message.type == MessageType::invite || message.type == MessageType::half)) {
      say_gone(*peer, from.port);
      return;
    }
    if (closed_ && !has_links()) return;
    try {
      if (message.handles_lost) fail_for_lost_handles();
      handle(peer, from, message);
    } catch (const Error& error) {
      refuse_link(peer, from, error.code(), error.what());
    } catch (const std::exception& error) {
      refuse_link(peer, from, ErrorCode::corrupt, error.what());
    }
    waiter_.wake_all();
    ended.swap(ended_);
  }

  void on_peer_gone(const EndpointId& peer, std::string_view why) noexcept final {
    Ended ended;  // outlives the lock
    const std::lock_guard lock(mutex_);
    end_links_of(peer, why);
    settle_all_of(peer);
    waiter_.wake_all();
    ended.swap(ended_);
  }

 protected:
  /// A port that has joined. Throws what joining throws, and then nothing of it is left.
  template <class Made, class Options>
  [[nodiscard]] static std::shared_ptr<Made> open_as(const LaneName& lane, const Options& options) {
    check(options);
    const std::shared_ptr<Made> port(new Made(lane, options), End{});
    try {
      port->join(options.directory, options.group, lane, options.join_timeout, options.interrupt);
    } catch (...) {
      port->close();
      throw;
    }
    return port;
  }

  PortBase(PortKind kind, const LaneName& lane, std::string label, Spin spin)
      : waiter_(spin), kind_(kind), lane_(lane.text()), label_(std::move(label)) {}

  /// The second half of construction: needs shared_from_this().
  void join(const std::filesystem::path& directory, const std::string& group, const LaneName& lane,
            Timeout join_timeout, const Interrupt& interrupt) {
    try {
      enter_lane(directory, group, lane, join_timeout, interrupt);
    } catch (const Error& error) {
      if (!error.lane().empty()) throw;
      throw Error(error.code(), "cannot open a " + kind_name() + " of lane \"" + lane_ + "\": " + error.what(), lane_,
                  error.system_error());
    }
  }

  /// Locks the port for a call of the program. Throws Error(closed | forked).
  [[nodiscard]] std::unique_lock<std::mutex> enter() const {
    check_fork();
    std::unique_lock lock(mutex_);
    if (closed_) throw Error(ErrorCode::closed, "the " + kind_name() + " of lane \"" + lane_ + "\" is closed", lane_);
    return lock;
  }

  [[nodiscard]] bool forked() const noexcept { return generation_ != platform::fork_generation(); }

  void check_fork() const {
    if (forked()) {
      throw Error(ErrorCode::forked,
                  "the " + kind_name() + " of lane \"" + lane_ +
                      "\" belongs to the parent process; open a new one in the child, after the fork",
                  lane_);
    }
  }

  [[nodiscard]] std::string kind_name() const {
    switch (kind_) {
      case PortKind::publisher: return "publisher";
      case PortKind::subscriber: return "subscriber";
      case PortKind::producer: return "producer";
      case PortKind::consumer: return "consumer";
      case PortKind::client: return "client";
      case PortKind::server: return "server";
    }
    return "port";
  }

  [[nodiscard]] PortAddress address() const { return {endpoint_->id(), number_}; }

  /// Takes the names away and forgets the port; returns what keeps the endpoint alive, to be let go of outside of every
  /// lock and never by the service thread, since the last one to let go ends that thread. Under the mutex; the second time
  /// does nothing.
  std::shared_ptr<Endpoint> leave_lane() noexcept {
    if (folder_) folder_->leave();
    folder_.reset();  // it refers to the endpoint's directory
    if (endpoint_) endpoint_->remove(number_);
    return std::exchange(endpoint_, nullptr);
  }

  /// How the pointers to a port end it: in a forked child not at all, since it is the parent's.
  struct End {
    void operator()(const PortBase* port) const {
      if (port->forked()) {
        platform::leave_to_parent(port);
      } else {
        delete port;
      }
    }
  };

  /// Waits for what becomes true by links and returns. False: the time is over, or stop() was called.
  template <class Reached>
  bool wait_until(std::unique_lock<std::mutex>& lock, const Deadline& deadline, const Interrupt& interrupt,
                  Reached&& reached) {
    const std::uint64_t stops = stops_;
    for (;;) {
      if (reached()) return true;
      const auto outcome = waiter_.wait(
          lock, *this, deadline, interrupt, [&] { return closed_ || stops_ != stops || reached(); },
          Waiter::Ring::keep);
      if (closed_) {
        throw Error(ErrorCode::closed,
                    "the " + kind_name() + " of lane \"" + lane_ + "\" was closed while a call waited", lane_);
      }
      if (outcome == Waiter::Outcome::interrupted)
        throw Error(ErrorCode::interrupted, "a wait on lane \"" + lane_ + "\" was interrupted", lane_);
      if (stops_ != stops) return false;
      if (outcome == Waiter::Outcome::timed_out) return reached() || waiter_.rearm(*this, reached, Waiter::Ring::keep);
    }
  }

  // ---- for the kinds ----

  /// The first call to a port of the opposite kind. Under the mutex. False: its process is gone.
  virtual bool call(const std::shared_ptr<Peer>& peer, const PortAddress& address) = 0;
  /// Whether there is a link with it, offered or up. Under the mutex.
  [[nodiscard]] virtual bool knows(const PortAddress& address) const = 0;
  /// Whether there is a link with it that is up. Under the mutex.
  [[nodiscard]] virtual bool is_linked(const PortAddress& address) const = 0;
  [[nodiscard]] virtual Announcement announcement() const = 0;
  [[nodiscard]] virtual bool has_links() const noexcept = 0;
  /// What a port of the opposite kind says. By the service thread, under the mutex. Throws Corruption or Error.
  virtual void handle(const std::shared_ptr<Peer>& peer, const PortAddress& from, const PortMessage& message) = 0;
  /// What a message brought cannot be used, or we lack the means: the link ends, and the other side is told why. By the service
  /// thread, under the mutex.
  virtual void refuse_link(const std::shared_ptr<Peer>& peer, const PortAddress& from, ErrorCode code,
                           std::string_view why) noexcept = 0;
  /// The peer is gone; `why` if it lives and does without us. By the service thread, under the mutex.
  virtual void end_links_of(const EndpointId& peer, std::string_view why) noexcept = 0;

  /// Keeps a link that has ended until those who wait have been told and the mutex is let go: freeing it means to unmap its
  /// memory page by page, 30 ms for each gigabyte. By the service thread, under the mutex.
  template <class Pointer>
  void set_aside(Pointer link) noexcept {
    try {
      ended_.emplace_back(std::move(link));
    } catch (const std::bad_alloc&) {
      return;  // then it is freed now
    }
  }

  /// The link is up, refused, or its peer is gone: joining need not wait for it. Under the mutex.
  void settle(const PortAddress& address) noexcept {
    if (unsettled_.erase(address) != 0 && unsettled_.empty()) settled_.notify_all();
  }

  void settle_all_of(const EndpointId& endpoint) noexcept {
    std::erase_if(unsettled_, [&](const PortAddress& address) { return address.endpoint == endpoint; });
    if (unsettled_.empty()) settled_.notify_all();
  }

  [[nodiscard]] Announcement describe(std::uint32_t depth, Overflow overflow, Checksum checksum) const {
    Announcement announcement{};
    announcement.magic = announcement_magic;
    announcement.version = layout_version;
    announcement.bytes = sizeof announcement;
    announcement.endpoint[0] = endpoint_->id().bits[0];
    announcement.endpoint[1] = endpoint_->id().bits[1];
    announcement.port = number_;
    announcement.kind = static_cast<std::uint8_t>(kind_);
    announcement.overflow = static_cast<std::uint8_t>(overflow);
    announcement.checksum = static_cast<std::uint8_t>(checksum);
    announcement.depth = depth;
    announcement.pid = platform::process_id();
    announcement.opened_time = platform::monotonic_now();
    put_text(announcement.process, platform::process_name());
    put_text(announcement.label, label_);
    return announcement;
  }

  /// Shows the live counters in the announcement, at most ten times a second. Under the mutex, as things move; `fill` puts
  /// the numbers in. What people's tools show is no older than that while the port works, and exact when it is asked.
  template <class Fill>
  void show_counters(std::int64_t now, Fill&& fill) {
    if (now - counters_shown_ < counters_pause || !folder_) return;
    counters_shown_ = now;
    Announcement announcement{};
    fill(announcement);
    announcement.counters_time = now;
    folder_->update(announcement);
  }

  [[nodiscard]] PortBody port_body(std::uint32_t depth, Overflow overflow, Checksum checksum) const {
    PortBody body{};
    const auto hash = lane_hash(lane_);
    body.lane[0] = hash[0];
    body.lane[1] = hash[1];
    body.kind = static_cast<std::uint8_t>(kind_);
    body.overflow = static_cast<std::uint8_t>(overflow);
    body.checksum = static_cast<std::uint8_t>(checksum);
    body.depth = depth;
    body.pid = platform::process_id();
    put_text(body.label, label_);
    return body;
  }

  /// Tells a port of the opposite kind that there is no link with us, or no longer.
  void say_gone(const Peer& peer, std::uint64_t port) const noexcept {
    peer.send(compose(MessageType::gone, number_, port, std::span<const std::byte>{}));
    fault_point("gone.sent");
  }
  /// The same, with the reason, for the program at the other end.
  void say_gone(const Peer& peer, std::uint64_t port, ErrorCode code, std::string_view reason) const noexcept {
    say_gone(peer, port, gone_for(code, reason));
  }
  void say_gone(const Peer& peer, std::uint64_t port, const GoneBody& reason) const noexcept {
    peer.send(compose(MessageType::gone, number_, port, reason));
    fault_point("gone.sent");
  }

  [[nodiscard]] static GoneBody gone_for(ErrorCode code, std::string_view reason) noexcept {
    GoneBody body{};
    body.code = static_cast<std::uint32_t>(code);
    put_text(body.reason, reason);
    return body;
  }

  /// Whether a call from another port is meant for one like us.
  [[nodiscard]] bool fits(const PortBody& body) const {
    const auto hash = lane_hash(lane_);
    return body.lane[0] == hash[0] && body.lane[1] == hash[1] &&
           body.kind == static_cast<std::uint8_t>(opposite(kind_));
  }

  mutable std::mutex mutex_;  // guards the port; also the waiter's
  Waiter waiter_;
  std::shared_ptr<Endpoint> endpoint_;
  std::uint64_t number_ = 0;
  std::uint64_t stops_ = 0;  // how often stop() was called
  bool closed_ = false;
  const PortKind kind_;
  const std::string lane_;
  const std::string label_;
  std::unique_ptr<LaneFolder> folder_;

 private:
  using Ended = std::vector<std::shared_ptr<const void>>;

  void enter_lane(const std::filesystem::path& directory, const std::string& group, const LaneName& lane,
                  Timeout join_timeout, const Interrupt& interrupt) {
    endpoint_ = EndpointTable::open(directory, platform::access_for(group));
    waiter_.let_in(endpoint_->directory().access());
    generation_ = platform::fork_generation();
    {
      const std::lock_guard lock(mutex_);
      number_ = endpoint_->add(shared_from_this());  // first, so that whoever sees the announcement can call
    }
    fault_point("port.numbered");
    auto folder = std::make_unique<LaneFolder>(endpoint_->directory(), lane, kind_, address(), announcement());
    {
      const std::lock_guard lock(mutex_);
      folder_ = std::move(folder);  // from here on close() takes the names away
      endpoint_->announced(number_);
    }
    const auto peers = folder_->announced(opposite(kind_));
    fault_point("lane.looked-at");
    {
      const std::lock_guard lock(mutex_);
      for (const PortAddress& peer : peers) {
        if (!is_linked(peer)) unsettled_.insert(peer);  // unless it was quicker than we
      }
    }
    for (const PortAddress& peer : peers) {
      meet(peer);
      fault_point("port.called");
    }
    await_settled(join_timeout, interrupt);
    fault_point("port.joined");
  }

  /// Reaches a port and calls it. By the constructor, or by the service thread where its door was busy.
  void meet(const PortAddress& address) {
    // A plain pointer: the service thread must never be the last to let go of its endpoint, and while it runs, or while
    // the constructor does, the endpoint is there.
    Endpoint* endpoint = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      endpoint = endpoint_.get();
    }
    const auto reached = endpoint->reach(address.endpoint);
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    switch (reached.outcome) {
      case platform::Knock::busy: endpoint->retry_later(shared_from_this(), address); return;
      case platform::Knock::nobody:
        folder_->remove_announcement(opposite(kind_), address);
        fault_point("dead.called");
        endpoint->bury(address.endpoint);
        settle(address);
        return;
      case platform::Knock::stranger: settle(address); return;  // no port of ours, and not ours to remove
      case platform::Knock::answered: break;
    }
    if (knows(address)) return;  // it called first
    if (reached.peer->is_crowded()) {
      // It does not read, or there are very many of us: it is called when it has read.
      endpoint->retry_later(shared_from_this(), address);
    } else if (!call(reached.peer, address)) {
      settle(address);
    }
  }

  void await_settled(Timeout join_timeout, const Interrupt& interrupt) {
    std::unique_lock lock(mutex_);
    const Deadline deadline(join_timeout);
    while (!unsettled_.empty() && !deadline.passed()) {
      constexpr std::int64_t an_hour = 3'600'000'000'000;  // nanoseconds: no clock overflows
      constexpr std::int64_t slice = 100'000'000;          // nanoseconds that people wait for Ctrl-C
      settled_.wait_for(
          lock, std::chrono::nanoseconds(std::min(deadline.remaining(), interrupt.asked == nullptr ? an_hour : slice)));
      lock.unlock();  // the answer may need a lock of the language's own
      const bool stop = interrupt.pending();
      lock.lock();
      if (stop) throw Error(ErrorCode::interrupted, "joining lane \"" + lane_ + "\" was interrupted", lane_);
    }
    unsettled_.clear();  // whoever is frozen is linked when it thaws
  }

  static constexpr std::int64_t counters_pause = 100'000'000;  // nanoseconds

  Ended ended_;  // under the mutex
  std::uint32_t generation_ = platform::fork_generation();
  std::int64_t counters_shown_ = 0;
  std::set<PortAddress> unsettled_;
  std::condition_variable settled_;
};

}  // namespace memlane::detail
