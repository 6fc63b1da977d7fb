// Words in shared memory. A word is written by one process and read by others; reading goes through load_once, since
// what a peer wrote may change between two looks: read once, check the copy, use the copy.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace memlane::detail {

using SharedWord = std::atomic<std::uint64_t>;
static_assert(SharedWord::is_always_lock_free && sizeof(SharedWord) == 8 && alignof(SharedWord) == 8);

inline constexpr std::size_t cache_line = 64;  // bytes; fixed, since it is part of the layout

#if defined(MEMLANE_FAULTS)
/// A fuzzing build answers here, differently each time a word is read again.
inline std::uint64_t (*load_hook)(const SharedWord& word, std::uint64_t value) noexcept = nullptr;
#endif

/// The one way to read a word that another process writes.
[[nodiscard]] inline std::uint64_t load_once(const SharedWord& word, std::memory_order order) noexcept {
  const std::uint64_t value = word.load(order);
#if defined(MEMLANE_FAULTS)
  if (load_hook != nullptr) return load_hook(word, value);
#endif
  return value;
}

/// Between "I store my word" and "I look at yours", on both sides: at least one of the two sees the other's store.
/// x86 needs it too, since a store may wait in the store buffer behind a later load.
inline void store_then_look_fence() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace memlane::detail
