// The sender's end of a link: pushes descriptors, collects returns, takes descriptors back.
//
// Called by one thread at a time (the sending port's mutex sees to that). Writes the sender's half, reads the receiver's.
// If the receiver dies, its half stays as it was: every call still answers, and nothing here waits.
#pragma once

#include <cstdint>

#include "memlane/layout/half.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/memory.hpp"
#include "memlane/ring/corruption.hpp"

namespace memlane::detail {

class SenderRing {
 public:
  /// `own` is writable, `peer` is not. The caller has checked both sizes against the capacities.
  SenderRing(platform::Mapping& own, const platform::Mapping& peer, std::uint32_t capacity,
             std::uint32_t returns_capacity) noexcept
      : own_(reinterpret_cast<SenderHalf*>(own.data())),
        descriptors_(reinterpret_cast<DescriptorWords*>(own.data() + sizeof(SenderHalf))),
        peer_(reinterpret_cast<const ReceiverHalf*>(peer.data())),
        returns_(reinterpret_cast<const ReturnEntry*>(peer.data() + sizeof(ReceiverHalf))),
        mask_(capacity - 1),
        returns_mask_(returns_capacity - 1) {}

  [[nodiscard]] std::uint64_t tail() const noexcept { return tail_; }

  /// How many descriptors wait for the receiver. Throws Corruption.
  [[nodiscard]] std::uint64_t waiting() {
    refresh_head();
    return tail_ - first_waiting();
  }

  /// Whether fewer than `depth` wait; looks at shared memory only if its last look does not already say so.
  [[nodiscard]] bool has_room(std::uint32_t depth) {
    if (tail_ - first_waiting() < depth) return true;
    return waiting() < depth;
  }

  /// Puts a descriptor at the tail and shows it to the receiver. There must be room: fewer than the capacity wait, so that
  /// the place was left by the receiver (head, acquired) or taken back (floor) a whole round ago.
  void push(const Descriptor& descriptor) noexcept {
    descriptors_[tail_ & mask_].store(descriptor);
    fault_point("push.stored");
    ++tail_;
    own_->tail.store(tail_, std::memory_order_release);  // [SYNC descriptor]
    fault_point("push.shown");
  }

  enum class TakeBack : std::uint8_t {
    taken,     ///< ours again: the receiver will not use it
    in_doubt,  ///< the receiver may have it: a return tells
    nothing,   ///< nothing waits
  };

  /// Takes the oldest waiting descriptor back, at `position`. Both sides announce, fence and look [SYNC take-back]:
  ///
  ///   sender:   floor = p + 1; fence; look at head      receiver: copy p; head = p + 1; fence; look at floor
  ///
  /// At least one sees the other. If only the sender was first, it sees head <= p: the descriptor is its own, and the
  /// receiver, whose head comes later, must see floor > p and yields. If the sender sees head > p, it does nothing: the
  /// receiver either saw floor <= p and has the sample, or saw floor > p and yields (or skips); its return says which.
  /// A receiver that is between its two steps for p - 1 also yields that one, though the sender, having seen its head,
  /// counted it as taken. So a yield is accepted for whatever is still out, and means nothing for what is not.
  /// Proved for small rings by models/take_back.pml.
  TakeBack take_back(std::uint64_t& position) {
    refresh_head();
    position = first_waiting();
    if (position == tail_) return TakeBack::nothing;
    floor_ = position + 1;
    // Release: who sees this floor also sees the tail that it lies below, or would call us corrupt.
    own_->floor.store(floor_, std::memory_order_release);
    fault_point("floor.stored");
    store_then_look_fence();
    fault_point("floor.fenced");
    refresh_head();
    return is_before(position, head_) ? TakeBack::in_doubt : TakeBack::taken;
  }

  struct Return {
    std::uint64_t position;
    std::uint32_t ticket;
    bool yielded;
  };

  /// Calls `each(Return)` for what the receiver has given back since the last time. Throws Corruption.
  template <class Each>
  void collect_returns(Each&& each) {
    const std::uint64_t tail = load_once(peer_->returns_tail, std::memory_order_acquire);  // [SYNC return]
    if (tail == returns_head_) return;
    if (tail - returns_head_ > returns_mask_ + 1) throw Corruption("the receiver's ring of returns overran");
    while (returns_head_ != tail) {
      const ReturnEntry& entry = returns_[returns_head_ & returns_mask_];
      const std::uint64_t position = load_once(entry.position, std::memory_order_relaxed);
      const std::uint64_t ticket = load_once(entry.ticket, std::memory_order_relaxed);
      ++returns_head_;
      each(parse_return(position, ticket));
      fault_point("return.read");
    }
    own_->returns_head.store(returns_head_, std::memory_order_release);  // [SYNC returns-room]
    fault_point("return.collected");
  }

  [[nodiscard]] static Return parse_return(std::uint64_t position, std::uint64_t ticket) {
    if ((ticket & ~(return_yielded | 0xFFFFFFFFU)) != 0)
      throw Corruption("the receiver returned something that no one can hold");
    return {position, static_cast<std::uint32_t>(ticket), (ticket & return_yielded) != 0};
  }

  /// The number of the sleep that the receiver is about to begin, or 0. After a push and store_then_look_fence().
  [[nodiscard]] std::uint64_t peer_sleep() const noexcept { return load_once(peer_->armed, std::memory_order_relaxed); }

  /// "I sleep" (a number that grows) or "I am awake" (0). To be followed by store_then_look_fence() and another look.
  void arm(std::uint64_t sleep) noexcept { own_->armed.store(sleep, std::memory_order_relaxed); }

  void count_drop() noexcept {
    own_->dropped.store(++dropped_, std::memory_order_relaxed);
    fault_point("drop.counted");
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  friend struct TestAccess;  // starts near the wrap

  void refresh_head() {
    const std::uint64_t head = load_once(peer_->head, std::memory_order_acquire);  // [SYNC room]
    if (is_before(head, head_) || is_before(tail_, head)) throw Corruption("the receiver's head is out of range");
    head_ = head;
  }

  [[nodiscard]] std::uint64_t first_waiting() const noexcept { return is_before(head_, floor_) ? floor_ : head_; }

  SenderHalf* own_;
  DescriptorWords* descriptors_;
  const ReceiverHalf* peer_;
  const ReturnEntry* returns_;
  std::uint64_t mask_;
  std::uint64_t returns_mask_;

  // Private copies of what this side has written, and the last look at what the other has.
  std::uint64_t tail_ = 0;
  std::uint64_t floor_ = 0;
  std::uint64_t returns_head_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t head_ = 0;  // never ahead of the truth
};

}  // namespace memlane::detail
