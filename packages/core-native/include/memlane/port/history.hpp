// The last samples of a sending port, which late joiners get first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "memlane/layout/descriptor.hpp"
#include "memlane/segment/pool.hpp"

namespace memlane::detail {

struct Remembered {
  Descriptor descriptor;
  Slot* slot;
};

/// Has no lock: its port's mutex is held. Keeps a reference to each slot.
class History {
 public:
  explicit History(std::uint32_t limit) : limit_(limit) {}

  [[nodiscard]] std::uint32_t limit() const noexcept { return limit_; }

  void remember(const Descriptor& descriptor, Slot& slot, SegmentPool& pool) {
    if (limit_ == 0) return;
    entries_.push_back({descriptor, &slot});
    SegmentPool::retain(slot);
    if (entries_.size() > limit_) {
      pool.release(*entries_.front().slot);
      entries_.pop_front();
    }
  }

  /// Calls `each(Remembered)` for the last ones, at most `most`, in their order.
  template <class Each>
  void for_each_of_last(std::size_t most, Each&& each) const {
    for (std::size_t i = entries_.size() - std::min(entries_.size(), most); i < entries_.size(); ++i) each(entries_[i]);
  }

  void clear(SegmentPool& pool) noexcept {
    for (const Remembered& entry : entries_) pool.release(*entry.slot);
    entries_.clear();
  }

 private:
  const std::uint32_t limit_;
  std::deque<Remembered> entries_;
};

}  // namespace memlane::detail
