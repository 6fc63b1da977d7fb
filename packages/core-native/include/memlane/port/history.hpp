// The last samples of a sending port, which late joiners get first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <ranges>

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
  explicit History(std::uint32_t limit) noexcept : limit_(limit) {}

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

  /// The last ones, at most `most`, in their order.
  [[nodiscard]] auto last(std::size_t most) const noexcept {
    const std::size_t skipped = entries_.size() - std::min(entries_.size(), most);
    return std::ranges::subrange(entries_.begin() + static_cast<std::ptrdiff_t>(skipped), entries_.end());
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
