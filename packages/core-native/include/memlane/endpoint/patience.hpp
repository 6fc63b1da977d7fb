// How long calls that are not to wait may wait for one process all the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

namespace memlane::detail {

/// What an honest process has sent is on its way for a fraction of a millisecond, and whoever asks for it meanwhile had better
/// wait. One that never hands it over, or always at the last moment, is waited for only as long as there is patience left:
/// some, and then a small part of the time that goes by. For any thread.
class Patience {
 public:
  static constexpr std::int64_t most = 500'000'000;  // nanoseconds
  static constexpr std::int64_t one_part_in = 100;   // of the time that goes by comes back

  /// Up to `wanted` nanoseconds, as `now` (of the monotonic clock) there are; what was not needed is to be given back.
  [[nodiscard]] std::int64_t take(std::int64_t wanted, std::int64_t now) noexcept {
    const std::lock_guard lock(mutex_);
    left_ = std::min(most, left_ + std::max<std::int64_t>(0, now - looked_at_) / one_part_in);
    looked_at_ = now;
    const std::int64_t taken = std::min(wanted, left_);
    left_ -= taken;
    return taken;
  }

  void give_back(std::int64_t unused) noexcept {
    const std::lock_guard lock(mutex_);
    left_ = std::min(most, left_ + unused);
  }

 private:
  std::mutex mutex_;
  std::int64_t left_ = most;
  std::int64_t looked_at_ = 0;
};

}  // namespace memlane::detail
