// The payload memory of a sending port: segments of equal slots, added on demand, reused last freed first.
//
// Private to the sender: no other process ever writes here or counts here. Called under the port's mutex, except for the
// making of a segment, which takes long and therefore comes in three steps: plan, create (unlocked), add.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "memlane/error.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/memory.hpp"
#include "memlane/segment/machine_room.hpp"
#include "memlane/segment/make_room.hpp"
#include "memlane/segment/poison.hpp"
#include "memlane/segment/size_class.hpp"

namespace memlane::detail {

class Segment;

/// One payload's place. `references` counts who needs it: a loan, the history, each link it was sent down.
struct Slot {
  Segment* segment = nullptr;
  std::uint64_t offset = 0;
  std::uint32_t references = 0;

  [[nodiscard]] inline std::byte* data() const noexcept;
  [[nodiscard]] inline std::uint64_t capacity() const noexcept;
};

class Segment {
 public:
  Segment(std::uint32_t id, platform::OwnedMemory memory, std::uint64_t slot_bytes, std::uint64_t slot_count)
      : id_(id), memory_(std::move(memory)), slot_bytes_(slot_bytes), slots_(slot_count) {
    for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i] = {this, i * slot_bytes, 0};
    poison(memory_.mapping.data(), bytes());
  }
  ~Segment() { unpoison(memory_.mapping.data(), bytes()); }  // something else will lie at this address
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  [[nodiscard]] const platform::OwnedMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return memory_.mapping.size(); }
  [[nodiscard]] std::uint64_t slot_bytes() const noexcept { return slot_bytes_; }
  [[nodiscard]] std::vector<Slot>& slots() noexcept { return slots_; }

  std::uint64_t used = 0;      // slots that have references
  std::uint64_t last_use = 0;  // by the pool's own clock: loans so far

 private:
  std::uint32_t id_;
  platform::OwnedMemory memory_;
  std::uint64_t slot_bytes_;
  std::vector<Slot> slots_;
};

std::byte* Slot::data() const noexcept {
  return segment->memory().mapping.data() + offset;
}
std::uint64_t Slot::capacity() const noexcept {
  return segment->slot_bytes();
}

class SegmentPool {
 public:
  /// `budget`: the most bytes to hold; 0: no limit of our own.
  explicit SegmentPool(std::uint64_t budget) noexcept : budget_(budget) {}

  [[nodiscard]] std::uint64_t held_bytes() const noexcept { return held_; }

  /// A free slot for a payload of `bytes`, with one reference; null: a segment must be added first.
  [[nodiscard]] Slot* try_allocate(std::uint64_t bytes) {
    ++clock_;
    const std::uint64_t wanted = slot_bytes_for(bytes);
    for (auto it = classes_.lower_bound(wanted); it != classes_.end() && is_good_fit(it->first, wanted); ++it) {
      if (it->second.free.empty()) continue;
      Slot* const slot = it->second.free.back();
      it->second.free.pop_back();
      slot->references = 1;
      unpoison(slot->data(), slot->capacity());
      ++slot->segment->used;
      slot->segment->last_use = clock_;
      fault_point("loan.lent");
      return slot;
    }
    return nullptr;
  }

  static void retain(Slot& slot) noexcept { ++slot.references; }

  void release(Slot& slot) noexcept {
    if (--slot.references != 0) return;
    poison(slot.data(), slot.capacity());
    --slot.segment->used;
    classes_.find(slot.segment->slot_bytes())->second.free.push_back(&slot);  // its place was reserved by add()
  }

  /// Gives back every segment of which nothing is lent or waiting.
  void drop_all_unused() noexcept {
    drop_unused([] { return true; });
  }

  /// How many more loans of `bytes` could be had without a new segment.
  [[nodiscard]] std::size_t free_slots(std::uint64_t bytes) const {
    const std::uint64_t wanted = slot_bytes_for(bytes);
    std::size_t count = 0;
    for (auto it = classes_.lower_bound(wanted); it != classes_.end() && is_good_fit(it->first, wanted); ++it)
      count += it->second.free.size();
    return count;
  }

  /// A segment to be made. Its bytes count as held from now on; `abandon` takes that back.
  struct Plan {
    std::uint32_t id;
    std::uint64_t slot_bytes;
    std::uint64_t slot_count;
    std::uint64_t bytes;
  };

  /// Plans a segment for loans of `bytes`; `at_least` slots, or as many as growth suggests if 0. Gives unused segments back
  /// where the budget or the machine demands it. Throws Error(budget_spent | out_of_memory) before anything is reserved.
  [[nodiscard]] Plan plan(std::uint64_t bytes, std::uint64_t at_least = 0) {
    Plan plan{};
    plan.slot_bytes = slot_bytes_for(bytes);
    plan.slot_count = at_least != 0 ? at_least : slots_to_add(plan.slot_bytes, classes_[plan.slot_bytes].bytes);
    plan.bytes = bytes_of(plan);
    drop_unused([&] { return has_too_much_unused(); });
    if (!fits_budget(plan)) drop_unused([&] { return !fits_budget(plan); });
    if (!fits_budget(plan) && at_least == 0) {
      plan.slot_count = 1;
      plan.bytes = bytes_of(plan);
    }
    if (!fits_budget(plan)) {
      throw Error(ErrorCode::budget_spent,
                  "a loan of " + std::to_string(bytes) + " bytes does not fit into the port's memory budget: " +
                      std::to_string(held_) + " of " + std::to_string(budget_) +
                      " bytes are in use; release samples, or open the port with a larger memory budget");
    }
    check_machine(plan, bytes, at_least != 0);
    plan.id = fresh_id();
    held_ += plan.bytes;
    fault_point("segment.planned");
    return plan;
  }

  void abandon(const Plan& plan) noexcept { held_ -= plan.bytes; }

  /// Calls `each(id)` for the segments that were given back since the last time: the links they were announced to must be
  /// told.
  template <class Each>
  void tell_dropped(Each&& each) {
    for (const std::uint32_t segment : dropped_) each(segment);
    dropped_.clear();
  }

  /// If it throws, nothing was added, and the plan is to be abandoned.
  void add(const Plan& plan, platform::OwnedMemory memory) {
    auto segment = std::make_unique<Segment>(plan.id, std::move(memory), plan.slot_bytes, plan.slot_count);
    segment->last_use = clock_;
    Class& of = classes_[plan.slot_bytes];
    // Whatever will be given back finds its place reserved: giving back happens where nothing may fail.
    make_room(of.free, of.slots + plan.slot_count);
    make_room(dropped_, dropped_.size() + segments_.size() + 1);
    make_room(segments_, segments_.size() + 1);
    of.slots += plan.slot_count;
    of.bytes += plan.bytes;
    // From the back, so that the first slot is the first to be lent.
    for (auto slot = segment->slots().rbegin(); slot != segment->slots().rend(); ++slot) of.free.push_back(&*slot);
    segments_.push_back(std::move(segment));
    fault_point("segment.added");
  }

 private:
  friend struct TestAccess;

  struct Class {
    std::vector<Slot*> free;  // a stack: what was freed last may still be in the cache
    std::uint64_t slots = 0;  // free or not
    std::uint64_t bytes = 0;
  };

  // Unused memory is kept for the next loan of its size up to this much, or as much as is in use.
  static constexpr std::uint64_t unused_allowance = std::uint64_t{64} << 20U;

  /// After 2^32 segments the numbers come round, and the first may still be in use.
  std::uint32_t fresh_id() {
    const auto in_use = [&](const auto& segment) { return segment->id() == next_id_; };
    while (std::any_of(segments_.begin(), segments_.end(), in_use)) ++next_id_;
    return next_id_++;
  }

  static std::uint64_t bytes_of(const Plan& plan) {
    const std::uint64_t page = platform::page_size();
    if (plan.slot_bytes > largest_payload / plan.slot_count) {
      throw Error(ErrorCode::out_of_range, "no machine has " + std::to_string(plan.slot_count) + " times " +
                                               std::to_string(plan.slot_bytes) + " bytes");
    }
    return round_up(plan.slot_bytes * plan.slot_count, page);
  }

  [[nodiscard]] bool fits_budget(const Plan& plan) const noexcept {
    return budget_ == 0 || (plan.bytes <= budget_ && held_ <= budget_ - plan.bytes);
  }

  [[nodiscard]] bool has_too_much_unused() const noexcept {
    std::uint64_t unused = 0;
    for (const auto& segment : segments_) unused += segment->used == 0 ? segment->bytes() : 0;
    return unused > std::max(unused_allowance, held_ - unused);
  }

  /// Drops segments that nobody uses, the longest unused first, as long as `needed()` says so.
  template <class Needed>
  void drop_unused(Needed&& needed) {
    while (needed()) {
      auto oldest = segments_.end();
      for (auto it = segments_.begin(); it != segments_.end(); ++it) {
        if ((*it)->used == 0 && (oldest == segments_.end() || (*it)->last_use < (*oldest)->last_use)) oldest = it;
      }
      if (oldest == segments_.end()) return;
      Class& of = classes_.find((*oldest)->slot_bytes())->second;
      std::erase_if(of.free, [&](const Slot* slot) { return slot->segment == oldest->get(); });
      of.slots -= (*oldest)->slots().size();
      of.bytes -= (*oldest)->bytes();
      held_ -= (*oldest)->bytes();
      dropped_.push_back((*oldest)->id());
      segments_.erase(oldest);
      fault_point("segment.dropped");
    }
  }

  void check_machine(Plan& plan, std::uint64_t bytes, bool exact) {
    platform::MemoryRoom room = platform::memory_room();
    const auto fits = [&] { return fits_into(room, plan.bytes, Reserve::for_payloads); };
    if (fits()) return;
    drop_unused([&] {
      room = platform::memory_room();
      return !fits();
    });
    if (fits()) return;
    if (!exact) {
      plan.slot_count = 1;
      plan.bytes = bytes_of(plan);
      if (fits()) return;
    }
    refuse_for_lack_of(room, Reserve::for_payloads, "a loan of " + std::to_string(bytes) + " bytes",
                       "release samples, or give the process more memory");
  }

  std::uint64_t budget_;
  std::uint64_t held_ = 0;
  std::uint64_t clock_ = 0;
  std::uint32_t next_id_ = 1;
  std::map<std::uint64_t, Class> classes_;  // by slot size
  std::vector<std::unique_ptr<Segment>> segments_;
  std::vector<std::uint32_t> dropped_;
};

}  // namespace memlane::detail
