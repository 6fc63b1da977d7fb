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
#include "memlane/segment/pool.hpp"

namespace memlane::detail {

class SenderLink {
 public:
  SenderLink(PortAddress address, std::shared_ptr<Peer> peer, const PortBody& receiver, platform::Mapping peer_half,
             platform::ForeignBell bell)
      : address_(address),
        peer_(std::move(peer)),
        depth_(receiver.depth),
        overflow_(static_cast<Overflow>(receiver.overflow)),
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

  [[nodiscard]] bool has_room() { return ring_.has_room(depth_); }

  /// The receiver needs the segment's handle before the first descriptor that names it. Throws Error(descriptor_limit).
  void announce(const Segment& segment, std::uint64_t from_port) {
    if (!announced_.insert(segment.id()).second) return;
    const SegmentBody body{segment.id(), 0, segment.bytes()};
    const int handle = segment.memory().handle.get();
    try {
      peer_->send(compose(MessageType::segment, from_port, address_.port, body, 1), std::span(&handle, 1));
    } catch (...) {
      announced_.erase(segment.id());
      throw;
    }
    fault_point("segment.announced");
  }

  void retract(std::uint32_t segment, std::uint64_t from_port) {
    if (announced_.erase(segment) == 0) return;
    peer_->send(compose(MessageType::segment_drop, from_port, address_.port, SegmentBody{segment, 0, 0}));
    fault_point("segment.retracted");
  }

  /// Sends a descriptor down; there must be room, and its segment must be announced.
  void push(Descriptor descriptor, Slot& slot) {
    descriptor.ticket = issue_ticket(slot, ring_.tail());
    ticket_at_[ring_.tail() & (ticket_at_.size() - 1)] = descriptor.ticket;
    fault_point("push.ticketed");
    ring_.push(descriptor);
  }

  void count_drop() noexcept { ring_.count_drop(); }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return ring_.dropped(); }

  /// Makes room by taking back the oldest that waits, or leaves it to the receiver who is just taking it. Throws Corruption.
  void drop_oldest(SegmentPool& pool) {
    std::uint64_t position = 0;
    const auto result = ring_.take_back(position);
    if (result == SenderRing::TakeBack::nothing) return;
    const std::uint32_t ticket = ticket_at_[position & (ticket_at_.size() - 1)];
    if (result == SenderRing::TakeBack::in_doubt) return;  // a return will tell, used or yielded
    retire_ticket(ticket, pool);
    count_drop();
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

  /// The receiver is gone, or the link is corrupt: everything comes back.
  void take_all_back(SegmentPool& pool) {
    for (std::uint32_t ticket = 0; ticket < tickets_.size(); ++ticket) {
      if (tickets_[ticket].slot != nullptr) retire_ticket(ticket, pool);
    }
  }

  void arm(std::uint64_t sleep) noexcept { ring_.arm(sleep); }

  /// Wakes the receiver if it sleeps, once for each sleep. After the fence that follows the push.
  void ring_if_asleep() {
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
  std::uint32_t issue_ticket(Slot& slot, std::uint64_t position) {
    if (free_tickets_.empty()) {
      free_tickets_.push_back(static_cast<std::uint32_t>(tickets_.size()));
      tickets_.emplace_back();
    }
    const std::uint32_t ticket = free_tickets_.back();
    free_tickets_.pop_back();
    SegmentPool::retain(slot);
    tickets_[ticket] = {&slot, position};
    ++outstanding_;
    return ticket;
  }

  void retire_ticket(std::uint32_t ticket, SegmentPool& pool) {
    pool.release(*tickets_[ticket].slot);
    tickets_[ticket] = {};
    free_tickets_.push_back(ticket);
    --outstanding_;
  }

  void accept(const SenderRing::Return& returned, SegmentPool& pool) {
    if (!is_before(returned.position, ring_.tail() - ring_.waiting()))
      throw Corruption("the receiver returned what still waits");
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
  std::uint64_t last_rung_ = 0;
  bool closing_ = false;
};

}  // namespace memlane::detail
