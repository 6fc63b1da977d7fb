// A sending port of publish/subscribe: owns payload memory, lends it, sends what was written down every link.
//
// Any thread of the process may call. The service thread brings links and takes them away. If the process dies, what was
// sent stays readable until each receiver has released it.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memlane/checksum/sample_checksum.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/port/history.hpp"
#include "memlane/port/port_base.hpp"
#include "memlane/port/sender_link.hpp"
#include "memlane/port/sender_links.hpp"

namespace memlane::detail {

/// What a send may do when a queue is full.
struct SendWait {
  Deadline deadline;
  Interrupt interrupt;
  bool may_wait;  // false: queue_full at once
};

class SenderPort final : public PortBase {
 public:
  [[nodiscard]] static std::shared_ptr<SenderPort> open(const LaneName& lane, const PublisherOptions& options) {
    return open_as<SenderPort>(lane, options);
  }

  SenderPort(const LaneName& lane, const PublisherOptions& options)
      : PortBase(PortKind::publisher, lane, options.label, options.spin),
        send_timeout_(options.send_timeout),
        max_held_(options.max_held),
        checksum_(options.checksum ? Checksum::crc32c : Checksum::none),
        pool_(options.memory_budget),
        history_(options.history) {}

  [[nodiscard]] Timeout send_timeout() const noexcept { return send_timeout_; }

  /// For bindings: whether a send computes a checksum, and so takes long where the sample is large.
  [[nodiscard]] bool checks() const noexcept { return checksum_ != Checksum::none; }

  /// Memory for a payload of `bytes`, with one reference. Throws Error(out_of_range | budget_spent | out_of_memory | ...).
  [[nodiscard]] Slot* loan(std::uint64_t bytes) {
    check_size(bytes);
    auto lock = enter();
    for (;;) {
      collect_returns();
      if (Slot* const slot = pool_.try_allocate(bytes)) return slot;
      add_segment(lock, bytes, 0);
    }
  }

  /// One more reference to a slot that is lent; give_up() takes it back.
  void retain(Slot& slot) {
    if (forked()) return;
    const std::lock_guard lock(mutex_);
    SegmentPool::retain(slot);
  }

  void give_up(Slot& slot) noexcept {
    if (forked()) return;
    const std::lock_guard lock(mutex_);
    pool_.release(slot);
    fault_point("loan.given-up");
    if (closed_) pool_.drop_all_unused();
  }

  void reserve(std::uint64_t bytes, std::size_t count) {
    check_size(bytes);
    auto lock = enter();
    const std::size_t free = pool_.free_slots(bytes);
    if (free < count) add_segment(lock, bytes, count - free);
  }

  /// Sends a loan's slot; the reference passes to us if and only if nothing is thrown. Returns how many it went to.
  /// `payload_sum`: the sum of the payload, where it is known already.
  std::size_t send(Slot& slot, std::uint64_t bytes, DType dtype, const Shape& shape, const SendInfo& info,
                   const SendWait& wait, std::optional<std::uint32_t> payload_sum = std::nullopt) {
    check(info);
    auto lock = enter();
    await_room(lock, slot, wait);
    fault_point("send.has-room");

    Descriptor descriptor{};
    stamp(descriptor);
    descriptor.offset = slot.offset;
    descriptor.length = bytes;
    descriptor.segment = slot.segment->id();
    descriptor.dtype = static_cast<std::uint8_t>(dtype);
    descriptor.ndim = static_cast<std::uint8_t>(shape.ndim());
    std::ranges::copy(shape.dims(), descriptor.shape);
    if (!info.encoding.empty() || !info.user_header.empty()) {
      descriptor.flags |= has_meta;
      write_meta(slot, bytes, info);
    }
    if (checksum_ != Checksum::none) add_checksum(lock, descriptor, slot, wait, payload_sum);

    // Everything that can fail comes before the first push: a send reaches everybody or nobody.
    for (const auto& link : links_) {
      if (!link->closing()) link->prepare(*slot.segment, number_);
    }
    history_.remember(descriptor, slot, pool_);
    ++sequence_;
    sent_bytes_ += bytes;
    std::size_t reached = 0;
    for (const auto& link : links_) {
      if (!link->closing() && SenderLinks::guarded(*link, [&] { return push(*link, descriptor, slot); })) ++reached;
    }
    fault_point("send.pushed");
    store_then_look_fence();  // [SYNC sleep]
    fault_point("send.fenced");
    for (const auto& link : links_) link->ring_if_asleep();
    fault_point("send.rung");

    pool_.release(slot);
    fault_point("send.remembered");
    drop_broken();
    show_counters_at(static_cast<std::int64_t>(descriptor.sent_time));
    return reached;
  }

  /// True when `n` receivers are linked. False: the time is over, or stop() was called.
  bool wait_for_peers(std::size_t n, Timeout timeout, const Interrupt& interrupt = {}) {
    auto lock = enter();
    return wait_until(lock, Deadline(timeout), interrupt, [&] { return links_.live() >= n; });
  }

  /// True when everything that was sent has been taken and released.
  bool flush(Timeout timeout, const Interrupt& interrupt = {}) {
    auto lock = enter();
    return wait_until(lock, Deadline(timeout), interrupt, [&] {
      collect_returns();
      return links_.are_quiet();
    });
  }

  /// Whether a send would find room at once; arms the bell of a watched port if not.
  [[nodiscard]] bool has_room() {
    const auto lock = enter();
    const auto look = [&] { return find_full(nullptr) == nullptr; };
    return look() || waiter_.rearm(*this, look);
  }

  [[nodiscard]] PublisherStats stats() {
    const auto lock = enter();
    collect_returns();
    return count();
  }

  /// Leaves the lane. What was sent stays readable for those who were linked. Loans stay valid until they are given up.
  void close() {
    if (forked()) return;
    std::shared_ptr<Endpoint> endpoint;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(closed_, true)) return;
      for (const auto& link : links_) tell_leaving(*link);
      links_.end_all();
      history_.clear(pool_);
      pool_.drop_all_unused();  // the object may live on for long; receivers have mapped what they hold themselves
      waiter_.wake_all();
      endpoint = leave_lane();
    }
  }

  // ---- the service thread ----

  void on_room() noexcept override {
    const std::lock_guard lock(mutex_);
    waiter_.wake_all();
  }

  void arm(std::uint64_t sleep) override {
    for (const auto& link : links_) link->arm(sleep);
  }

 private:
  friend struct TestAccess;

  void check_size(std::uint64_t bytes) const {
    if (bytes > largest_payload)
      throw Error(ErrorCode::out_of_range, "no machine can lend " + std::to_string(bytes) + " bytes", lane_);
  }

  [[nodiscard]] Announcement announcement() const override {
    return describe(history_.limit(), Overflow::block, checksum_);
  }

  [[nodiscard]] PortBody own_port_body() const { return port_body(history_.limit(), Overflow::block, checksum_); }

  bool call(const std::shared_ptr<Peer>& peer, const PortAddress& receiver) override {
    const bool sent = peer->send(compose(MessageType::invite, number_, receiver.port, own_port_body()));
    fault_point("invite.sent");
    return sent;
  }

  [[nodiscard]] bool knows(const PortAddress& receiver) const override { return links_.find(receiver) != nullptr; }

  [[nodiscard]] bool is_linked(const PortAddress& receiver) const override { return knows(receiver); }

  [[nodiscard]] bool has_links() const noexcept override { return links_.begin() != links_.end(); }

  void drop_broken() noexcept {
    links_.drop_broken([&](const SenderLink& link) {
      ++broken_count_;
      say_gone(link.peer(), link.address().port, ErrorCode::corrupt, "what the subscriber wrote makes no sense");
    });
  }

  void collect_returns() {
    links_.collect_returns();
    drop_broken();
  }

  /// A receiver whose policy does not let us go on, or null; one that wants the send to fail before one that wants it to
  /// wait. There is no room, either, where the memory of the sample that is to be sent, `segment`, cannot be handed over.
  [[nodiscard]] SenderLink* find_full(const Segment* segment) {
    SenderLink* full = nullptr;
    for (const auto& link : links_) {
      if (link->closing() || (link->overflow() != Overflow::block && link->overflow() != Overflow::fail)) continue;
      const bool has_room = SenderLinks::guarded(*link, [&] { return link->has_room(pool_); }) &&
                            (segment == nullptr || link->announce(*segment, number_, SenderLink::Handover::at_once));
      if (has_room || link->broken()) continue;
      if (full == nullptr || link->overflow() == Overflow::fail) full = link.get();
    }
    drop_broken();
    return full;
  }

  void await_room(std::unique_lock<std::mutex>& lock, const Slot& slot, const SendWait& wait) {
    const std::uint64_t stops = stops_;
    while (SenderLink* const full = find_full(slot.segment)) {
      const bool queue_is_full = SenderLinks::guarded(*full, [&] { return full->queue_is_full(); });
      const std::string whose = SenderLinks::guarded(*full, [&] { return what_stops(*full); });
      if (full->broken()) continue;  // to be found, and dropped, by the next look
      if (full->overflow() == Overflow::fail)
        throw Error(ErrorCode::queue_full, whose + ", and it asked for the send to fail; the sample was sent to nobody",
                    lane_);
      if (queue_is_full && wait.may_wait && wait.deadline.is_never() &&
          endpoint_->is_confined_to_caller(full->address())) {
        throw Error(ErrorCode::deadlock,
                    "the send would wait for ever: the queue of a subscriber of this same thread is full on lane \"" +
                        lane_ + "\", and only this thread can take from it; take first, or do not wait in the thread",
                    lane_);
      }
      const auto found_room = [&] { return find_full(slot.segment) == nullptr; };
      if (!wait.may_wait) {
        if (waiter_.rearm(*this, found_room)) continue;
        throw Error(ErrorCode::queue_full, whose + "; the sample was sent to nobody", lane_);
      }
      const auto outcome = waiter_.wait(lock, *this, wait.deadline, wait.interrupt,
                                        [&] { return closed_ || stops_ != stops || found_room(); });
      if (closed_)
        throw Error(
            ErrorCode::closed,
            "the publisher of lane \"" + lane_ + "\" was closed while a send waited; the sample was sent to nobody",
            lane_);
      if (stops_ != stops || outcome == Waiter::Outcome::interrupted) {
        throw Error(ErrorCode::interrupted,
                    "a send on lane \"" + lane_ + "\" was stopped while it waited; the sample was sent to nobody",
                    lane_);
      }
      if (outcome == Waiter::Outcome::timed_out) {
        if (waiter_.rearm(*this, found_room)) continue;
        throw Error(ErrorCode::timeout,
                    whose + " and has stayed so for the whole send timeout; the sample was sent to nobody", lane_);
      }
    }
  }

  /// The beginning of a sentence.
  [[nodiscard]] std::string what_stops(SenderLink& full) {
    const std::string where = " on lane \"" + lane_ + "\"";
    if (full.queue_is_full()) return "the queue of " + full.who() + where + " is full";
    if (full.holds_all_it_may(pool_))
      return full.who() + where + " holds " + std::to_string(max_held_) +
             " samples or more, as many as it may (max_held),";
    return full.who() + where + " does not take in the memory that it is given (is it frozen?)";
  }

  [[nodiscard]] PublisherStats count() const {
    PublisherStats stats;
    stats.sent = sequence_;
    stats.sent_bytes = sent_bytes_;
    stats.bytes = pool_.held_bytes();
    stats.broken = broken_count_;
    links_.count(stats);
    return stats;
  }

  void show_counters_at(std::int64_t now) {
    show_counters(now, [&](Announcement& announcement) {
      const PublisherStats stats = count();
      announcement.samples = stats.sent;
      announcement.bytes_moved = stats.sent_bytes;
      announcement.dropped = stats.dropped;
      announcement.waiting = stats.waiting;
      announcement.memory = stats.bytes;
      announcement.peers = stats.peers;
    });
  }

  static void write_meta(Slot& slot, std::uint64_t bytes, const SendInfo& info) {
    MetaBlock meta{};
    meta.encoding_length = static_cast<std::uint8_t>(info.encoding.size());
    meta.user_length = static_cast<std::uint8_t>(info.user_header.size());
    std::ranges::copy(info.encoding, meta.encoding);
    std::ranges::copy(info.user_header, meta.user);
    std::memcpy(meta_of(slot, bytes), &meta, sizeof meta);
  }

  static std::byte* meta_of(const Slot& slot, std::uint64_t bytes) {
    return slot.data() + (meta_offset(slot.offset, bytes) - slot.offset);
  }

  void stamp(Descriptor& descriptor) const {
    descriptor.sequence = sequence_ + 1;
    descriptor.sent_time = static_cast<std::uint64_t>(platform::monotonic_now());
  }

  /// The long part of it unlocked, since a gigabyte takes a tenth of a second. So others may have sent meanwhile: what the
  /// lock had settled is settled again.
  void add_checksum(std::unique_lock<std::mutex>& lock, Descriptor& descriptor, const Slot& slot, const SendWait& wait,
                    std::optional<std::uint32_t> payload_sum) {
    MetaBlock meta{};
    if ((descriptor.flags & has_meta) != 0) std::memcpy(&meta, meta_of(slot, descriptor.length), sizeof meta);
    if (!payload_sum) {
      lock.unlock();
      payload_sum = crc32c({slot.data(), static_cast<std::size_t>(descriptor.length)});
      lock = enter();
      await_room(lock, slot, wait);
      stamp(descriptor);
    }
    descriptor.checksum = sample_checksum(descriptor, payload_checksum(descriptor, *payload_sum, meta));
  }

  /// True if the receiver gets it. Throws Corruption.
  bool push(SenderLink& link, const Descriptor& descriptor, Slot& slot) {
    // What cannot be handed over is dropped, whichever policy it is.
    if (!link.can_push() || !makes_room(link)) {
      link.count_drop();
      return false;
    }
    link.push(descriptor, slot);
    return true;
  }

  /// Whether the receiver can be given another sample, if need be in the place of one that waits. Throws Corruption.
  [[nodiscard]] bool makes_room(SenderLink& link) {
    switch (link.overflow()) {
      case Overflow::block:
      case Overflow::fail:
        return true;  // await_room() has seen to that; what the receiver has taken since, it has taken in time
      case Overflow::drop_newest: return link.has_room(pool_);
      case Overflow::drop_oldest:
        return link.has_room(pool_) || link.drop_oldest(pool_) || !link.holds_all_it_may(pool_);
    }
    return false;
  }

  /// Adds memory for loans of `bytes`. The port is unlocked while the kernel hands out and clears the pages.
  void add_segment(std::unique_lock<std::mutex>& lock, std::uint64_t bytes, std::uint64_t at_least) {
    const auto plan = [&] {
      try {
        auto made = pool_.plan(bytes, at_least);
        retract_dropped();
        return made;
      } catch (const Error& error) {
        retract_dropped();
        throw Error(error.code(), error.what() + std::string(" (lane \"") + lane_ + "\")", lane_, error.system_error());
      }
    }();
    lock.unlock();
    platform::OwnedMemory memory;
    try {
      memory = platform::create_memory("memlane-payload", plan.bytes);
    } catch (...) {
      lock.lock();
      pool_.abandon(plan);
      throw;
    }
    lock.lock();
    if (closed_) {
      pool_.abandon(plan);
      throw Error(ErrorCode::closed, "the publisher of lane \"" + lane_ + "\" was closed while it got memory", lane_);
    }
    try {
      pool_.add(plan, std::move(memory));
    } catch (...) {
      pool_.abandon(plan);
      throw;
    }
  }

  void retract_dropped() {
    pool_.tell_dropped([&](std::uint32_t segment) {
      for (const auto& link : links_) link->retract(segment, number_);
    });
  }

  void tell_leaving(const SenderLink& link) const {
    link.peer().send(compose(MessageType::leave, number_, link.address().port, std::span<const std::byte>{}));
    fault_point("leave.sent");
  }

  void refuse_link(const std::shared_ptr<Peer>& peer, const PortAddress& from, ErrorCode code,
                   std::string_view why) noexcept override {
    ++broken_count_;
    if (const SenderLink* const link = links_.find(from)) links_.end_link(*link);
    say_gone(*peer, from.port, code, why);
    settle(from);
  }

  void end_links_of(const EndpointId& peer, std::string_view why) noexcept override {
    while (const SenderLink* const link = links_.find_of(peer)) set_aside(links_.end_link(*link));
    if (!why.empty()) ++broken_count_;
  }

  void handle(const std::shared_ptr<Peer>& peer, const PortAddress& from, const PortMessage& message) override {
    SenderLink* const link = links_.find(from);
    switch (message.type) {
      case MessageType::half: link_up(peer, from, message); return;
      case MessageType::gone:
        if (!message.body.empty()) ++broken_count_;
        [[fallthrough]];
      case MessageType::leave:
        if (link != nullptr) set_aside(links_.end_link(*link));
        settle(from);
        fault_point("leave.heard");
        return;
      default: break;
    }
    if (link == nullptr) return;  // the last words of a link that is over
    switch (message.type) {
      case MessageType::closing: link->receiver_is_closing(pool_); return;
      case MessageType::returns: accept_returns(*link, message.body); return;
      default: throw Corruption("a message that no receiver sends");
    }
  }

  void accept_returns(SenderLink& link, std::span<const std::byte> body) {
    if (body.size() % sizeof(ReturnsBody) != 0) throw Corruption("half a return");
    for (; !body.empty(); body = body.subspan(sizeof(ReturnsBody)))
      link.accept_message(*parse<ReturnsBody>(body.first(sizeof(ReturnsBody))), pool_);
  }

  void link_up(const std::shared_ptr<Peer>& peer, const PortAddress& from, const PortMessage& message) {
    if (knows(from)) throw Corruption("a second half for one link");
    const auto half = parse<HalfBody>(message.body);
    if (!half || message.handles.size() != 2 || !fits(half->port)) throw Corruption("a half for another lane");
    if (half->port.depth == 0 || half->port.depth > max_depth ||
        to_string(static_cast<Overflow>(half->port.overflow)) == "unknown") {
      throw Corruption("a half with impossible options");
    }
    const std::uint32_t depth = half->port.depth;
    links_.make_place();  // once the half is sent, nothing may fail
    auto peer_half = map_half(message.handles[0], half->bytes, receiver_half_magic, returns_capacity(depth),
                              receiver_half_bytes(depth));
    fault_point("half.mapped");
    auto link = std::make_unique<SenderLink>(from, peer, half->port, std::move(peer_half),
                                             platform::ForeignBell(std::move(message.handles[1])), max_held_);

    bool sent = false;
    try {
      sent = offer_half(*link);
    } catch (...) {
      link->take_all_back(pool_);
      throw;
    }
    if (sent) {
      links_.add(std::move(link));
      fault_point("link.up");
    } else {
      link->take_all_back(pool_);
    }
    settle(from);
  }

  /// Puts the history into a new link and hands our half over. False: the receiver's process is gone.
  bool offer_half(SenderLink& link) {
    // The history is in the ring before the receiver can see it: no sample sent from now on can come first.
    history_.for_each_of_last(link.depth(), [&](const Remembered& entry) {
      link.reserve_ticket();
      static_cast<void>(link.announce(*entry.slot->segment, number_, SenderLink::Handover::queued));
      link.push(entry.descriptor, *entry.slot);
      fault_point("history.pushed");
    });
    HalfBody answer{};
    answer.port = own_port_body();
    answer.bytes = link.own_half().mapping.size();
    const platform::Handle bell = waiter_.bell().another_write_end();
    const std::array<int, 2> handles{link.own_half().handle.get(), bell.get()};
    const bool sent = link.peer().send(compose(MessageType::half, number_, link.address().port, answer, 2), handles);
    fault_point("answer.sent");
    link.close_half_handle();
    return sent;
  }

  const Timeout send_timeout_;
  const std::uint32_t max_held_;
  const Checksum checksum_;

  // Under the mutex.
  SegmentPool pool_;
  SenderLinks links_{pool_};
  History history_;
  std::uint64_t sequence_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t broken_count_ = 0;
};

}  // namespace memlane::detail
