// The receiver's end of a link: takes descriptors, gives them back.
//
// Called by one thread at a time (the receiving port's mutex sees to that). Writes the receiver's half, reads the
// sender's. If the sender dies, what it had pushed stays readable; nothing here waits.
#pragma once

#include <cstdint>
#include <optional>

#include "memlane/layout/half.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/memory.hpp"
#include "memlane/ring/corruption.hpp"

namespace memlane::detail {

class ReceiverRing {
 public:
  /// `own` is writable, `peer` is not. `may_be_taken_back`: the sender drops the oldest when the queue is full.
  ReceiverRing(platform::Mapping& own, const platform::Mapping& peer, std::uint32_t capacity,
               std::uint32_t returns_capacity, bool may_be_taken_back) noexcept
      : own_(reinterpret_cast<ReceiverHalf*>(own.data())),
        returns_(reinterpret_cast<ReturnEntry*>(own.data() + sizeof(ReceiverHalf))),
        peer_(reinterpret_cast<const SenderHalf*>(peer.data())),
        descriptors_(reinterpret_cast<const DescriptorWords*>(peer.data() + sizeof(SenderHalf))),
        mask_(capacity - 1),
        returns_mask_(returns_capacity - 1),
        may_be_taken_back_(may_be_taken_back) {}

  /// Whether a descriptor may be waiting; a hint that costs one look. Throws Corruption.
  [[nodiscard]] bool anything_waits() { return head_ != tail_ || refresh_tail(); }

  /// How many wait, more or less: the sender may take some back. Throws Corruption.
  [[nodiscard]] std::uint64_t waiting() {
    refresh_tail();
    if (!may_be_taken_back_) return tail_ - head_;
    const std::uint64_t floor = load_floor();
    return is_before(head_, floor) ? tail_ - floor : tail_ - head_;
  }

  struct Look {
    Descriptor descriptor;
    std::uint64_t position;
  };

  /// Copies the next descriptor without taking it. The copy may be torn where the sender takes descriptors back, until
  /// take() has agreed: until then use it for nothing but guesses.
  ///
  /// What the sender has taken back meanwhile is skipped. The sender looks at `head` once more after each take-back: having
  /// moved `head` to the floor, we may have made it doubt the last one before (and only that one: its look for each earlier
  /// one came before it stored the floor that we saw). `yield(position)` must give that one back as yielded.
  template <class Yield>
  [[nodiscard]] std::optional<Look> look(Yield&& yield) {
    while (anything_waits()) {
      if (may_be_taken_back_) {
        if (const std::uint64_t floor = load_floor(); is_before(head_, floor)) {
          head_ = floor;
          own_->head.store(head_, std::memory_order_release);
          fault_point("skip.head-stored");
          yield(floor - 1);
          was_in_vain();
          continue;
        }
      }
      if (tail_ - head_ > mask_ + 1) {
        // The tail may be younger than the floor we saw: then the floor has moved on as well.
        if (may_be_taken_back_ && is_before(head_, load_floor())) continue;
        throw Corruption("the sender's tail is out of range");
      }
      const Look look{descriptors_[head_ & mask_].load(), head_};
      fault_point("take.looked");
      return look;
    }
    return std::nullopt;
  }

  /// Whether what look() copied was not taken back meanwhile: then the copy is whole.
  [[nodiscard]] bool still_waits(std::uint64_t position) {
    if (!may_be_taken_back_) return true;
    std::atomic_thread_fence(std::memory_order_acquire);  // the copy before the look at the floor
    return !is_before(position, load_floor());
  }

  /// Takes what look() copied. False: the sender wants it back at the same moment; it was yielded and must not be used
  /// (the caller gives it back as such). The argument is in SenderRing::take_back [SYNC take-back]: the copy was made
  /// before the fence, and if it held anything younger than the take-back, the look at the floor would tell.
  [[nodiscard]] bool take() {
    const std::uint64_t position = head_;
    head_ = position + 1;
    own_->head.store(head_, std::memory_order_release);  // [SYNC room]
    fault_point("take.head-stored");
    if (!may_be_taken_back_) return true;
    store_then_look_fence();
    fault_point("take.fenced");
    if (is_before(position, load_floor())) {
      was_in_vain();
      return false;
    }
    in_vain_ = 0;
    return true;
  }

  /// Gives a descriptor back. False: the ring of returns is full, and the return must travel as a message.
  [[nodiscard]] bool give_back(std::uint64_t position, std::uint32_t ticket, bool yielded) {
    if (returns_tail_ - returns_head_ > returns_mask_) {
      const std::uint64_t head = load_once(peer_->returns_head, std::memory_order_acquire);  // [SYNC returns-room]
      if (is_before(head, returns_head_) || is_before(returns_tail_, head))
        throw Corruption("the sender collected returns that were not there");
      returns_head_ = head;
      if (returns_tail_ - returns_head_ > returns_mask_) return false;
    }
    ReturnEntry& entry = returns_[returns_tail_ & returns_mask_];
    entry.position.store(position, std::memory_order_relaxed);
    entry.ticket.store(ticket | (yielded ? return_yielded : 0), std::memory_order_relaxed);
    fault_point("return.stored");
    ++returns_tail_;
    own_->returns_tail.store(returns_tail_, std::memory_order_release);  // [SYNC return]
    fault_point("return.shown");
    return true;
  }

  /// The number of the sleep that the sender is about to begin, or 0. After a take or a return, and the fence.
  [[nodiscard]] std::uint64_t peer_sleep() const noexcept { return load_once(peer_->armed, std::memory_order_relaxed); }

  /// "I sleep" (a number that grows) or "I am awake" (0). To be followed by store_then_look_fence() and another look.
  void arm(std::uint64_t sleep) noexcept { own_->armed.store(sleep, std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t dropped() const noexcept { return load_once(peer_->dropped, std::memory_order_relaxed); }

 private:
  friend struct TestAccess;  // starts near the wrap

  // An honest sender needs longer to push and to take back than we to look again, and is ahead of us now and then. One that
  // lies, and only moves its words on, could be so for ever.
  static constexpr std::uint32_t most_in_vain = 10'000;

  void was_in_vain() {
    if (++in_vain_ > most_in_vain) throw Corruption("the sender takes back whatever it sends");
  }

  bool refresh_tail() {
    const std::uint64_t tail = load_once(peer_->tail, std::memory_order_acquire);  // [SYNC descriptor]
    if (is_before(tail, tail_)) throw Corruption("the sender's tail went back");
    tail_ = tail;
    return tail_ != head_;
  }

  std::uint64_t load_floor() {
    const std::uint64_t floor = load_once(peer_->floor, std::memory_order_acquire);
    if (is_before(floor, floor_)) throw Corruption("the sender's floor went back");
    if (is_before(tail_, floor)) {
      // The sender pushed and took back since our last look at the tail.
      refresh_tail();
      if (is_before(tail_, floor)) throw Corruption("the sender took back what it never sent");
    }
    floor_ = floor;
    return floor;
  }

  ReceiverHalf* own_;
  ReturnEntry* returns_;
  const SenderHalf* peer_;
  const DescriptorWords* descriptors_;
  std::uint64_t mask_;
  std::uint64_t returns_mask_;
  bool may_be_taken_back_;

  // Private copies of what this side has written, and the last looks at what the other has.
  std::uint64_t head_ = 0;
  std::uint64_t returns_tail_ = 0;
  std::uint64_t tail_ = 0;
  std::uint64_t returns_head_ = 0;
  std::uint64_t floor_ = 0;
  std::uint32_t in_vain_ = 0;  // looks in a row at what was taken back
};

}  // namespace memlane::detail
