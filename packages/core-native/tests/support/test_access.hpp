// Starts what counts for ever somewhere else than at its beginning: near the end of its numbers.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"
#include "support/ring_pair.hpp"

namespace memlane::detail {

struct TestAccess {
  /// Both ends of a link in which nothing is on the way. `sender` and `receiver` write their own halves only.
  static void start_rings_at(SenderRing& sender, ReceiverRing& receiver, std::uint64_t position) {
    sender.tail_ = sender.floor_ = sender.head_ = sender.returns_head_ = position;
    sender.own_->tail = position;
    sender.own_->floor = position;
    sender.own_->returns_head = position;
    receiver.head_ = receiver.returns_tail_ = receiver.tail_ = receiver.returns_head_ = receiver.floor_ = position;
    receiver.own_->head = position;
    receiver.own_->returns_tail = position;
  }

  /// The only link between two ports of this process, before anything was sent.
  static void start_link_at(SenderPort& sender, ReceiverPort& receiver, std::uint64_t position) {
    const std::scoped_lock lock(sender.mutex_, receiver.mutex_);
    start_rings_at(sender.links_.links_.at(0)->ring_, *receiver.links_.links_.at(0)->ring_, position);
  }

  static void start_sequence_at(SenderPort& sender, std::uint64_t sequence) {
    const std::lock_guard lock(sender.mutex_);
    sender.sequence_ = sequence;
  }

  template <class Port>
  static void start_sleeps_at(Port& port, std::uint64_t sleep) {
    const std::lock_guard lock(port.mutex_);
    port.waiter_.sleep_ = sleep;
  }

  static void start_segments_at(SenderPort& sender, std::uint32_t id) {
    const std::lock_guard lock(sender.mutex_);
    sender.pool_.next_id_ = id;
  }

  static void start_ports_at(SenderPort& sender, std::uint64_t number) {
    PortTable& ports = sender.endpoint_->ports_;
    const std::lock_guard lock(ports.mutex_);
    ports.next_ = number;
  }

  /// Where the only link of a port has what was sent last.
  static std::byte* last_descriptor(SenderPort& sender) {
    const std::lock_guard lock(sender.mutex_);
    SenderRing& ring = sender.links_.links_.at(0)->ring_;
    return reinterpret_cast<std::byte*>(&ring.descriptors_[(ring.tail_ - 1) & ring.mask_]);
  }

  /// What a thread has between its take and the look at the checksum.
  static Delivery take_unchecked(ReceiverPort& receiver) {
    std::optional<Delivery> delivery;
    // The handle of its memory may still be on the way to the service thread.
    const bool taken = test::eventually([&] {
      const std::lock_guard lock(receiver.mutex_);
      return (delivery = receiver.take_one()).has_value();
    });
    if (!taken) throw std::runtime_error("nothing to take");
    return std::move(*delivery);
  }
  static void reject(ReceiverPort& receiver, const Delivery& delivery) { receiver.reject(delivery); }

  /// How many tickets a link has made so far: as many as were ever out at the same time.
  static std::size_t tickets(SenderPort& sender) {
    const std::lock_guard lock(sender.mutex_);
    return sender.links_.links_.at(0)->tickets_.size();
  }
  /// For how many tickets that come back there is a place where nothing can fail.
  static std::size_t room_for_tickets(SenderPort& sender) {
    const std::lock_guard lock(sender.mutex_);
    return sender.links_.links_.at(0)->free_tickets_.capacity();
  }
};

}  // namespace memlane::detail
