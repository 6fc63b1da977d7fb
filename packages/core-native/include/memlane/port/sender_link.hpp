// A sending port's side of one link: what went down it, and what has not come back.
//
// Under the port's mutex. All of it but the ring is private memory: if the receiver dies, whatever it held is known here
// and taken back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "memlane/endpoint/peer.hpp"
#include "memlane/options.hpp"
#include "memlane/platform/bell.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/port/half_memory.hpp"
#include "memlane/ring/sender_ring.hpp"
#include "memlane/segment/make_room.hpp"
#include "memlane/segment/pool.hpp"

namespace memlane::detail {

class SenderLink {
 public:
  /// `max_held`: how many samples the receiver may hold before its queue counts as full; 0: as many as it likes.
  SenderLink(PortAddress address, std::shared_ptr<Peer> peer, const PortBody& receiver, platform::Mapping peer_half,
             platform::ForeignBell bell, std::uint32_t max_held)
      : address_(address),
        peer_(std::move(peer)),
        depth_(receiver.depth),
        overflow_(static_cast<Overflow>(receiver.overflow)),
        max_held_(max_held),
        pid_(receiver.pid),
        label_(get_text(receiver.label)),
        link_share_(peer_->allowance()->take(Allowance::Of::links, 1)),
        half_share_(peer_->allowance()->take(Allowance::Of::half_bytes, sender_half_bytes(depth_))),
        own_half_(make_sender_half(depth_)),
        peer_half_(std::move(peer_half)),
        bell_(std::move(bell)),
        ring_(own_half_.mapping, peer_half_, ring_capacity(depth_), returns_capacity(depth_)),
        ticket_at_(ring_capacity(depth_)) {}
  SenderLink(const SenderLink&) = delete;
  SenderLink& operator=(const SenderLink&) = delete;

  [[nodiscard]] const PortAddress& address() const noexcept { return address_; }
  [[nodiscard]] const Peer& peer() const noexcept { return *peer_; }
  [[nodiscard]] std::uint32_t depth() const noexcept { return depth_; }
  [[nodiscard]] Overflow overflow() const noexcept { return overflow_; }
  [[nodiscard]] std::uint64_t outstanding() const noexcept { return outstanding_; }
  [[nodiscard]] const platform::OwnedMemory& own_half() const noexcept { return own_half_; }
  void close_half_handle() noexcept { own_half_.handle.reset(); }

  /// "process 4711 (\"viewer\")", for messages.
  [[nodiscard]] std::string who() const {
    return "process " + std::to_string(pid_) + (label_.empty() ? "" : " (\"" + label_ + "\")");
  }

  /// Throws Corruption.
  [[nodiscard]] bool queue_is_full() { return !ring_.has_room(depth_); }

  /// Whether the receiver has taken, and not given back, as many as it may. Throws Corruption.
  [[nodiscard]] bool holds_all_it_may(SegmentPool& pool) {
    if (max_held_ == 0 || outstanding_ < max_held_) return false;
    collect_returns(pool);
    const std::uint64_t waiting = ring_.waiting();
    return outstanding_ >= waiting && outstanding_ - waiting >= max_held_;
  }

  /// Whether the receiver may be given another sample. Throws Corruption.
  [[nodiscard]] bool has_room(SegmentPool& pool) { return !queue_is_full() && !holds_all_it_may(pool); }

  enum class Handover : std::uint8_t {
    at_once,  ///< in the kernel, or not at all: it arrives though this process is killed the next moment
    queued,   ///< kept for a receiver that is slow to read, within the bounds of Connection
  };

  /// The receiver needs the segment's handle before the first descriptor that names it. False: there is no room for it now, as
  /// when the receiver is frozen.
  [[nodiscard]] bool announce(const Segment& segment, std::uint64_t from_port, Handover how) {
    const auto [place, is_new] = announced_.insert(segment.id());
    if (!is_new) return true;
    const SegmentBody body{segment.id(), 0, segment.bytes()};
    const MessageBytes message = compose(MessageType::segment, from_port, address_.port, body, 1);
    const int handle = segment.memory().handle.get();
    try {
      bool room = true;
      if (how == Handover::queued) {
        peer_->send(message, std::span(&handle, 1));
      } else {
        room = peer_->send_now(message, std::span(&handle, 1)) != Connection::Now::no_room;
      }
      if (room) {
        fault_point("segment.announced");
      } else {
        announced_.erase(place);
      }
      return room;
    } catch (...) {
      announced_.erase(place);
      throw;
    }
  }

  /// Does what can fail about a push: can_push() says whether the receiver has the memory, or will have. A sender that is not
  /// to wait for a slow receiver has its memory queued, up to a bound: then the sample is dropped.
  void prepare(const Segment& segment, std::uint64_t from_port) {
    reserve_ticket();
    const bool waits_for_it = overflow_ == Overflow::block || overflow_ == Overflow::fail;
    can_push_ = announced_.contains(segment.id()) ||
                (waits_for_it ? announce(segment, from_port, Handover::at_once)
                              : !peer_->is_crowded() && announce(segment, from_port, Handover::queued));
  }
  [[nodiscard]] bool can_push() const noexcept { return can_push_; }

  void reserve_ticket() {
    if (free_tickets_.empty()) {
      // Whatever is retired later finds its place reserved.
      make_room(free_tickets_, tickets_.size() + 1);
      tickets_.emplace_back();
      free_tickets_.push_back(static_cast<std::uint32_t>(tickets_.size() - 1));
    }
  }

  void retract(std::uint32_t segment, std::uint64_t from_port) {
    if (announced_.erase(segment) == 0) return;
    peer_->send(compose(MessageType::segment_drop, from_port, address_.port, SegmentBody{segment, 0, 0}));
    fault_point("segment.retracted");
  }

  /// Sends a descriptor down; there must be room, its segment announced, and a ticket reserved.
  void push(Descriptor descriptor, Slot& slot) noexcept {
    descriptor.ticket = issue_ticket(slot, ring_.tail());
    ticket_at_[ring_.tail() & (ticket_at_.size() - 1)] = descriptor.ticket;
    fault_point("push.ticketed");
    ring_.push(descriptor);
    ++pushed_;
  }

  void count_drop() noexcept { ring_.count_drop(); }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return ring_.dropped(); }

  /// Makes room by taking back the oldest that waits, or leaves it to the receiver who is just taking it: in either case the
  /// queue is not full any more. False: the receiver holds as many as before, or more. Throws Corruption.
  bool drop_oldest(SegmentPool& pool) {
    std::uint64_t position = 0;
    if (ring_.take_back(position) != SenderRing::TakeBack::taken) return false;  // in doubt: a return will tell
    retire_ticket(ticket_at_[position & (ticket_at_.size() - 1)], pool);
    count_drop();
    return true;
  }

  /// Takes in what the receiver has given back. Throws Corruption.
  void collect_returns(SegmentPool& pool) {
    ring_.collect_returns([&](const SenderRing::Return& returned) { accept(returned, pool); });
  }

  /// The same for returns that came as messages.
  void accept_message(const ReturnsBody& body, SegmentPool& pool) {
    accept(SenderRing::parse_return(body.position, body.ticket), pool);
    fault_point("return.heard");
  }

  /// The receiver takes nothing more: what still waits is ours again. What it holds will come back as returns.
  void receiver_is_closing(SegmentPool& pool) {
    closing_ = true;
    collect_returns(pool);
    const std::uint64_t first_untaken = ring_.tail() - ring_.waiting();
    for (std::uint32_t ticket = 0; ticket < tickets_.size(); ++ticket) {
      if (tickets_[ticket].slot != nullptr && !is_before(tickets_[ticket].position, first_untaken))
        retire_ticket(ticket, pool);
    }
    fault_point("closing.heard");
  }
  [[nodiscard]] bool closing() const noexcept { return closing_; }

  /// The receiver's half makes no sense: the link is to be dropped, where that can be done.
  void mark_broken() noexcept { broken_ = true; }
  [[nodiscard]] bool broken() const noexcept { return broken_; }

  /// The receiver is gone, or the link is corrupt: everything comes back.
  void take_all_back(SegmentPool& pool) noexcept {
    for (std::uint32_t ticket = 0; ticket < tickets_.size(); ++ticket) {
      if (tickets_[ticket].slot != nullptr) retire_ticket(ticket, pool);
    }
  }

  void arm(std::uint64_t sleep) noexcept { ring_.arm(sleep); }

  /// Wakes the receiver if it sleeps, once for each sleep. After the fence that follows the push.
  void ring_if_asleep() noexcept {
    const std::uint64_t sleep = ring_.peer_sleep();
    if (sleep == 0 || sleep == last_rung_) return;
    last_rung_ = sleep;
    bell_.ring();
  }

 private:
  friend struct TestAccess;

  struct Ticket {
    Slot* slot = nullptr;  // null: free
    std::uint64_t position = 0;
  };
  std::uint32_t issue_ticket(Slot& slot, std::uint64_t position) noexcept {
    const std::uint32_t ticket = free_tickets_.back();
    free_tickets_.pop_back();
    SegmentPool::retain(slot);
    tickets_[ticket] = {&slot, position};
    ++outstanding_;
    return ticket;
  }

  void retire_ticket(std::uint32_t ticket, SegmentPool& pool) noexcept {
    pool.release(*tickets_[ticket].slot);
    tickets_[ticket] = {};
    free_tickets_.push_back(ticket);
    --outstanding_;
  }

  void accept(const SenderRing::Return& returned, SegmentPool& pool) {
    if (!is_before(returned.position, ring_.tail() - ring_.waiting()))
      throw Corruption("the receiver returned what still waits");
    // Each was pushed once and comes back once. Else yields, which mean nothing for what is not out, and cost a search each,
    // would be had without end.
    if (++returned_ > pushed_) throw Corruption("the receiver returned more than it was sent");
    if (returned.yielded) {
      // Left to us: if it was not taken back without a doubt before, its ticket is still out. A yield names no ticket, since
      // the receiver's copy may have been torn.
      const auto ticket = std::ranges::find_if(
          tickets_, [&](const Ticket& each) { return each.slot != nullptr && each.position == returned.position; });
      if (ticket == tickets_.end()) return;
      retire_ticket(static_cast<std::uint32_t>(ticket - tickets_.begin()), pool);
      count_drop();
      return;
    }
    if (returned.ticket >= tickets_.size() || tickets_[returned.ticket].slot == nullptr ||
        tickets_[returned.ticket].position != returned.position) {
      throw Corruption("the receiver returned what it does not hold");
    }
    retire_ticket(returned.ticket, pool);
  }

  PortAddress address_;
  std::shared_ptr<Peer> peer_;
  std::uint32_t depth_;
  Overflow overflow_;
  std::uint32_t max_held_;
  std::int64_t pid_;
  std::string label_;
  Allowance::Share link_share_;
  Allowance::Share half_share_;
  platform::OwnedMemory own_half_;
  platform::Mapping peer_half_;
  platform::ForeignBell bell_;
  SenderRing ring_;
  std::vector<Ticket> tickets_;
  std::vector<std::uint32_t> free_tickets_;
  std::vector<std::uint32_t> ticket_at_;  // by ring place
  std::set<std::uint32_t> announced_;
  std::uint64_t outstanding_ = 0;
  std::uint64_t pushed_ = 0;
  std::uint64_t returned_ = 0;  // used, or yielded
  std::uint64_t last_rung_ = 0;
  bool closing_ = false;
  bool can_push_ = false;
  bool broken_ = false;
};

}  // namespace memlane::detail
