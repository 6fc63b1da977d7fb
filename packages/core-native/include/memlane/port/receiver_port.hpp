// A receiving port of publish/subscribe: takes samples from every link in turn, and gives them back.
//
// Any thread of the process may call, and samples may be released in any. The service thread brings links, memory and
// deaths. If this process dies, each sender takes back what it had given to it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "memlane/platform/fault_point.hpp"
#include "memlane/port/port_base.hpp"
#include "memlane/port/problems.hpp"
#include "memlane/port/receiver_link.hpp"
#include "memlane/port/receiver_links.hpp"

namespace memlane::detail {

/// A taken sample and where to return it.
struct Delivery {
  std::shared_ptr<ReceiverLink> link;
  TakenSample sample;
  std::int64_t taken_time;  // nanoseconds, CLOCK_MONOTONIC
};

class ReceiverPort final : public PortBase {
 public:
  [[nodiscard]] static std::shared_ptr<ReceiverPort> open(const LaneName& lane, const SubscriberOptions& options) {
    return open_as<ReceiverPort>(lane, options);
  }

  ReceiverPort(const LaneName& lane, const SubscriberOptions& options)
      : PortBase(PortKind::subscriber, lane, options.label, options.spin),
        depth_(options.depth),
        overflow_(options.overflow),
        view_(options.writable_view ? platform::View::scribble : platform::View::read_only) {}

  [[nodiscard]] platform::View view() const noexcept { return view_; }

  /// For bindings of languages that cannot hand a port to another thread: nobody but the calling thread will ever take.
  /// A sender that would wait for ever in this thread for this port is told so instead.
  void confine_to_caller() noexcept { confined_to_.store(std::this_thread::get_id(), std::memory_order_relaxed); }

  [[nodiscard]] bool is_confined_to_caller() const noexcept override {
    return confined_to_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  /// For bindings: whether a take computes checksums, and so takes long where samples are large.
  [[nodiscard]] bool checks() const noexcept { return checks_.load(std::memory_order_relaxed); }

  /// The next sample, without waiting. Throws Error(corrupt), once, for a sender whose link had to be dropped.
  [[nodiscard]] std::optional<Delivery> take() {
    auto lock = enter();
    return checked(lock, [&] { return take_now(lock); });
  }

  enum class Until : std::uint8_t {
    stopped,  ///< waits for as long as the timeout says
    idle,     ///< gives up as well when every sender that there was has left and everything it sent was taken
  };

  /// The next sample, waiting for it. Nothing: the time is over, or the port was stopped or closed meanwhile, or is idle.
  [[nodiscard]] std::optional<Delivery> take(Timeout timeout, const Interrupt& interrupt = {},
                                             Until until = Until::stopped) {
    auto lock = enter();
    const std::uint64_t stops = stops_;
    const Deadline deadline(timeout);
    return checked(lock, [&]() -> std::optional<Delivery> {
      for (;;) {
        if (auto delivery = take_one()) return delivery;
        if (until == Until::idle && is_idle()) return std::nullopt;
        const auto outcome = waiter_.wait(lock, *this, deadline, interrupt,
                                          [&] { return closed_ || stops_ != stops || something_to_do(); });
        if (closed_ || stops_ != stops) return std::nullopt;
        if (outcome == Waiter::Outcome::interrupted)
          throw Error(ErrorCode::interrupted, "a take on lane \"" + lane_ + "\" was interrupted", lane_);
        if (outcome == Waiter::Outcome::timed_out) return take_or_rearm();
      }
    });
  }

  /// Whether a take would find something; arms the bell of a watched port if not.
  [[nodiscard]] bool ready() {
    const auto lock = enter();
    const auto look = [&] { return something_to_do(); };
    return look() || waiter_.rearm(*this, look);
  }

  /// Whether every sender that there was has left, and everything it sent was taken.
  [[nodiscard]] bool idle() {
    const auto lock = enter();
    return is_idle();
  }

  /// True when `n` senders are linked. False: the time is over, or stop() was called.
  bool wait_for_peers(std::size_t n, Timeout timeout, const Interrupt& interrupt = {}) {
    auto lock = enter();
    return wait_until(lock, Deadline(timeout), interrupt, [&] { return links_.live() >= n; });
  }

  /// Gives a sample back. From any thread, also after close().
  void release(const Delivery& delivery) noexcept {
    if (forked()) return;
    std::shared_ptr<Endpoint> endpoint;  // let go of after the lock
    const std::lock_guard lock(mutex_);
    ReceiverLink& link = *delivery.link;
    try {
      link.give_back(delivery.sample.position, delivery.sample.descriptor.ticket, number_);
      link.ring_if_asleep();
    } catch (const std::exception&) {
      // The sender's half is corrupt, or nothing can be sent to it: the next look at the link finds out.
    }
    if (link.held() != 0) return;
    if (closed_ || link.was_given_up()) {
      tell_leaving(link);
      links_.remove(link);
      if (closed_ && links_.empty()) endpoint = leave_lane();
    } else if (link.has_left() && !ReceiverLinks::waits_in(link)) {
      links_.remove(link);
    }
  }

  [[nodiscard]] SubscriberStats stats() {
    const auto lock = enter();
    return count();
  }

  /// Takes nothing more. Samples that are held stay valid until they are released.
  void close() {
    if (forked()) return;
    std::shared_ptr<Endpoint> endpoint;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(closed_, true)) return;
      links_.remove_if([&](const ReceiverLink& link) {
        const bool over = link.held() == 0;
        if (over) {
          tell_leaving(link);
        } else {
          tell_closing(link);
        }
        return over;
      });
      waiter_.wake_all();
      if (!links_.empty()) {
        // The endpoint stays until the last sample is back, or the senders would take this for our death.
        if (folder_) folder_->leave();
        return;
      }
      endpoint = leave_lane();
    }
  }

  // ---- the service thread ----

  void on_room() noexcept override {}

  void arm(std::uint64_t sleep) override {
    for (const auto& link : links_) link->arm(sleep);
  }

 private:
  friend struct TestAccess;

  [[nodiscard]] Announcement announcement() const override { return describe(depth_, overflow_, Checksum::none); }

  bool call(const std::shared_ptr<Peer>& peer, const PortAddress& sender) override {
    links_.make_place();  // once the half is sent, nothing may fail
    auto link = std::make_shared<ReceiverLink>(sender, peer, depth_, overflow_ == Overflow::drop_oldest);
    HalfBody half{};
    half.port = port_body(depth_, overflow_, Checksum::none);
    half.bytes = link->own_half().mapping.size();
    const platform::Handle bell = waiter_.bell().another_write_end();
    const std::array<int, 2> handles{link->own_half().handle.get(), bell.get()};
    const bool sent = peer->send(compose(MessageType::half, number_, sender.port, half, 2), handles);
    fault_point("half.sent");
    link->close_half_handle();
    if (sent) links_.add(std::move(link));
    return sent;
  }

  [[nodiscard]] bool knows(const PortAddress& sender) const override { return links_.find(sender) != nullptr; }

  [[nodiscard]] bool is_linked(const PortAddress& sender) const override {
    const auto link = links_.find(sender);
    return link != nullptr && link->is_up();
  }

  [[nodiscard]] bool has_links() const noexcept override { return !links_.empty(); }

  [[nodiscard]] SubscriberStats count() const {
    SubscriberStats stats;
    stats.received = received_;
    stats.bytes = received_bytes_;
    stats.broken = problems_.count();
    links_.count(stats);
    return stats;
  }

  void show_counters_at(std::int64_t now) {
    show_counters(now, [&](Announcement& announcement) {
      const SubscriberStats stats = count();
      announcement.samples = stats.received;
      announcement.bytes_moved = stats.bytes;
      announcement.dropped = stats.dropped;
      announcement.waiting = stats.waiting;
      announcement.peers = stats.peers;
    });
  }

  [[nodiscard]] bool something_to_do() {
    if (problems_.is_one_untold()) return true;
    return links_.can_take();
  }

  [[nodiscard]] bool is_idle() { return had_links_ && links_.are_idle(); }

  std::optional<Delivery> take_now(std::unique_lock<std::mutex>& lock) {
    auto delivery = take_or_rearm();
    if (delivery || !links_.is_one_on_the_way()) return delivery;
    const std::int64_t start = platform::monotonic_now();
    std::int64_t patience = 0;
    for (const auto& link : links_) patience = std::max(patience, link->wait_for_it(moment, start));
    if (patience == 0) return delivery;
    // It was sent, so who asks for it now must get it: our service thread has only to read the half of a link, or the
    // handle of the sample's memory.
    const Deadline deadline(std::chrono::nanoseconds{patience});
    struct Waited {
      ReceiverPort& port;
      std::int64_t start;
      ~Waited() {
        const std::int64_t waited = platform::monotonic_now() - start;
        for (const auto& link : port.links_) link->stop_waiting(waited);
      }
    } waited{*this, start};
    const auto nothing_comes = [&] { return closed_ || !links_.is_one_on_the_way(); };
    while (!delivery && !nothing_comes() && !deadline.passed()) {
      waiter_.wait(lock, *this, deadline, {}, [&] { return something_to_do() || nothing_comes(); });
      if (!closed_) delivery = take_or_rearm();
    }
    return delivery;
  }

  /// What `take` gives, after a look at its checksum where its link has them. That is done unlocked, since a gigabyte takes a
  /// tenth of a second, and our service thread must go on; the sample is held meanwhile, so its memory stays.
  template <class Take>
  std::optional<Delivery> checked(std::unique_lock<std::mutex>& lock, Take&& take) {
    for (;;) {
      std::optional<Delivery> delivery = take();
      if (!delivery || !delivery->link->has_checksums()) return delivery;
      lock.unlock();
      if (is_intact(delivery->sample)) return delivery;
      reject(*delivery);
      lock.lock();
      problems_.tell();  // none is left if another thread was the first to meet one of this link, and has told it
      if (closed_) return std::nullopt;
    }
  }

  [[nodiscard]] bool is_intact(const TakenSample& sample) const noexcept {
    if (sample.matches_checksum()) return true;
    if (view_ == platform::View::read_only) return false;
    // This process may have written there itself, behind our back: what it wrote over hides what the sender wrote.
    platform::discard_writes(*sample.memory, static_cast<std::size_t>(sample.descriptor.offset),
                             static_cast<std::size_t>(sample.descriptor.length));
    return sample.matches_checksum();
  }

  /// Drops the link of a sample that is not what was sent, once. Samples of it that are held stay as they are until they are
  /// released, and their memory with them: they have been checked.
  void reject(const Delivery& delivery) noexcept {
    {
      const std::lock_guard lock(mutex_);
      ReceiverLink& link = *delivery.link;
      --received_;
      received_bytes_ -= delivery.sample.descriptor.length;
      std::array<char, 32> which{"sample "};
      const auto end = std::to_chars(&which[7], which.data() + which.size(), delivery.sample.descriptor.sequence).ptr;
      drop_link(
          link, ErrorCode::corrupt, std::string_view(which.data(), end),
          " does not match its checksum, so something wrote to it after it was sent; look for a stray write in that "
          "process, or failing memory, and open its publisher anew");
    }
    release(delivery);
  }

  std::optional<Delivery> take_or_rearm() {
    for (;;) {
      if (auto delivery = take_one()) return delivery;
      if (!waiter_.rearm(*this, [&] { return something_to_do(); })) return std::nullopt;
    }
  }

  /// One sample, the links taking turns.
  std::optional<Delivery> take_one() {
    problems_.tell_in_turn();
    for (std::size_t unseen = links_.size(); unseen > 0; --unseen) {
      const std::shared_ptr<ReceiverLink> link = links_.next();
      try {
        if (auto sample = link->take(number_)) {
          link->ring_if_asleep();
          fault_point("take.rung");
          ++received_;
          received_bytes_ += sample->descriptor.length;
          const std::int64_t now = platform::monotonic_now();
          show_counters_at(now);
          return Delivery{link, std::move(*sample), now};
        }
        if (link->has_left() && link->held() == 0 && !link->anything_waits()) links_.remove(*link);
      } catch (const Corruption& corruption) {
        drop_link(*link, ErrorCode::corrupt, {}, corruption.what());
        problems_.tell();
      }
    }
    problems_.tell();
    return std::nullopt;
  }

  /// What a message brought cannot be used: its sender is told why, so that it does not wait for us.
  void refuse_link(const std::shared_ptr<Peer>& peer, const PortAddress& from, ErrorCode code,
                   std::string_view why) noexcept override {
    if (const auto link = links_.find(from)) {
      if (!link->was_given_up()) link->say_at_its_end(gone_for(code, why));
      drop_link(*link, code, {}, why);
    } else {
      problems_.note(code, 0, {}, why);
      say_gone(*peer, from.port, code, why);
    }
    settle(from);
  }

  /// Takes nothing more of a link that cannot go on; the caller keeps it alive. Samples of it that are held stay as they are until
  /// they are released, and only then is the sender told that all its memory is its own again.
  void drop_link(ReceiverLink& link, ErrorCode code, std::string_view what, std::string_view why) noexcept {
    if (link.was_given_up()) return;
    problems_.note(code, link.pid(), what, why);
    link.give_up();
    if (link.held() != 0) return tell_closing(link);
    tell_leaving(link);
    links_.remove(link);
  }

  /// The sender has left or died: the link goes as soon as nothing of it is waiting or held. By the service thread.
  void end_link(ReceiverLink& link) noexcept {
    link.sender_left();
    settle(link.address());
    if (!ReceiverLinks::waits_in(link) && link.held() == 0) set_aside(links_.remove(link));
  }

  void tell_leaving(const ReceiverLink& link) const noexcept {
    if (link.has_left()) return;
    if (link.last_words()) return say_gone(link.peer(), link.address().port, *link.last_words());
    link.peer().send(compose(MessageType::leave, number_, link.address().port, std::span<const std::byte>{}));
    fault_point("leave.sent");
  }

  /// Nothing more is taken, and what is held will still be given back.
  void tell_closing(const ReceiverLink& link) const noexcept {
    if (link.has_left()) return;
    link.peer().send(compose(MessageType::closing, number_, link.address().port, std::span<const std::byte>{}));
    fault_point("closing.sent");
  }

  void end_links_of(const EndpointId& peer, std::string_view why) noexcept override {
    if (!why.empty()) problems_.note(ErrorCode::system, 0, "it does without this process: ", why);
    for (std::size_t left = links_.size(); left > 0; --left) {
      const std::shared_ptr<ReceiverLink> link = links_.next();
      if (link->address().endpoint != peer) continue;
      link->sender_died();
      end_link(*link);
    }
  }

  void handle(const std::shared_ptr<Peer>& peer, const PortAddress& from, const PortMessage& message) override {
    if (message.type == MessageType::invite) return accept_invitation(peer, from, message.body);
    if (message.type == MessageType::gone) {
      if (const auto refused = links_.find(from)) {
        const bool is_news = !refused->was_given_up() && !refused->has_left();
        if (const auto body = is_news ? parse<GoneBody>(message.body) : std::nullopt) {
          const auto code = static_cast<ErrorCode>(body->code);
          problems_.note(to_string(code) == "unknown" ? ErrorCode::corrupt : code, refused->pid(),
                         "it says: ", get_text(body->reason));
        }
        end_link(*refused);
      }
      return settle(from);
    }
    const auto link = links_.find(from);
    if (link == nullptr) return;  // the last words of a link that is over
    if (message.type == MessageType::leave) {
      end_link(*link);
      return fault_point("leave.heard");
    }
    if (link->was_given_up() && message.type != MessageType::segment_drop) return;  // its problem has been told
    switch (message.type) {
      case MessageType::half: return complete(*link, message);
      case MessageType::segment: return add_segment(*link, message);
      case MessageType::segment_drop:
        if (const auto body = parse<SegmentBody>(message.body)) return link->drop_segment(body->id);
        break;
      default: break;
    }
    throw Corruption("a message that no sender sends");
  }

  void accept_invitation(const std::shared_ptr<Peer>& peer, const PortAddress& from, std::span<const std::byte> body) {
    const auto sender = parse<PortBody>(body);
    if (!sender || !fits(*sender)) throw Corruption("an invitation to another lane");
    if (knows(from)) return;  // we called at the same moment, and our half is on the way
    fault_point("invite.heard");
    if (!call(peer, from)) return;
  }

  void complete(ReceiverLink& link, const PortMessage& message) {
    const auto half = parse<HalfBody>(message.body);
    if (!half || message.handles.size() != 2 || !fits(half->port)) throw Corruption("a half for another lane");
    link.complete(*half, message.handles[0], std::move(message.handles[1]));
    had_links_ = true;
    if (link.has_checksums()) checks_.store(true, std::memory_order_relaxed);
    settle(link.address());
  }

  void add_segment(ReceiverLink& link, const PortMessage& message) {
    const auto body = parse<SegmentBody>(message.body);
    if (!body || message.handles.size() != 1) throw Corruption("a segment without its memory");
    link.add_segment(*body, message.handles[0], view_);
  }

  const std::uint32_t depth_;
  const Overflow overflow_;
  const platform::View view_;

  // How long a take that does not wait gives our own service thread to fetch a handle.
  static constexpr std::int64_t moment = 50'000'000;  // nanoseconds

  // Written once, by the thread that it names; whoever reads its own name there reads what it wrote itself.
  std::atomic<std::thread::id> confined_to_{};

  // Set by the service thread; a hint for whoever takes.
  std::atomic<bool> checks_{false};

  // Under the mutex.
  ReceiverLinks links_;
  Problems problems_{lane_};
  bool had_links_ = false;
  std::uint64_t received_ = 0;
  std::uint64_t received_bytes_ = 0;
};

}  // namespace memlane::detail
