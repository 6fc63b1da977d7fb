// Whether there is memory left, asked before any is reserved: past a control group's limit the kernel kills.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "memlane/error.hpp"
#include "memlane/platform/clock.hpp"
#include "memlane/platform/memory_limit.hpp"

namespace memlane::detail {

/// What must stay for the rest of the machine: the kernel starts killing before the last byte is gone.
enum class Reserve : std::uint64_t {
  for_payloads = std::uint64_t{32} << 20U,
  for_queues = std::uint64_t{4} << 20U,  ///< they may have some of what payloads leave: who only receives needs little
};

[[nodiscard]] inline bool fits_into(const platform::MemoryRoom& room, std::uint64_t bytes, Reserve reserve) noexcept {
  const auto stays = static_cast<std::uint64_t>(reserve);
  return room.bytes > stays && bytes <= room.bytes - stays;
}

/// `what` does not fit. The limit comes early in the message, of which a peer hears only the beginning.
[[noreturn]] inline void refuse_for_lack_of(const platform::MemoryRoom& room, Reserve reserve, const std::string& what,
                                            const std::string& advice) {
  throw Error(ErrorCode::out_of_memory, what + " does not fit into " + room.limited_by + ": " +
                                            std::to_string(room.bytes) + " bytes are left, of which " +
                                            std::to_string(static_cast<std::uint64_t>(reserve)) + " stay reserved; " +
                                            advice);
}

/// For what is small and comes in crowds, as the queues of links do. A look at the machine costs more than such a queue: one
/// that found room is good for a moment, and for a small part of what stays reserved. For any thread; two that meet here look
/// twice at most. No lock, since a fork could leave it locked.
class RoomForQueues {
 public:
  /// Throws Error(out_of_memory) if there is no room for `bytes`.
  void take(std::uint64_t bytes) {
    const std::int64_t now = platform::monotonic_now();
    const auto wanted = static_cast<std::int64_t>(bytes);
    // Relaxed: numbers of their own, which guard nothing; whoever takes the last of what is left pays for the next look.
    if (now - looked_at_.load(std::memory_order_relaxed) < good_for &&
        left_.fetch_sub(wanted, std::memory_order_relaxed) >= wanted)
      return;
    const platform::MemoryRoom room = platform::memory_room();
    if (!fits_into(room, bytes, Reserve::for_queues)) {
      left_.store(0, std::memory_order_relaxed);
      refuse_for_lack_of(room, Reserve::for_queues, "a queue of " + std::to_string(bytes) + " bytes",
                         "open the subscriber with a smaller depth, or give the process more memory");
    }
    left_.store(at_once, std::memory_order_relaxed);
    looked_at_.store(now, std::memory_order_relaxed);
  }

 private:
  static constexpr std::int64_t good_for = 100'000'000;            // nanoseconds
  static constexpr std::int64_t at_once = std::int64_t{1} << 20U;  // bytes: of the reserve, which others count on too
  std::atomic<std::int64_t> looked_at_ = -good_for;
  std::atomic<std::int64_t> left_ = 0;
};

inline RoomForQueues room_for_queues;

}  // namespace memlane::detail
