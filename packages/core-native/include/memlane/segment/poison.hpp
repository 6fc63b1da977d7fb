// Under AddressSanitizer, memory that is not lent must not be touched: a loan that is used after it was sent or given up is
// reported where it is used, and not by whoever finds its own sample changed. Nothing in any other build.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define MEMLANE_POISONS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMLANE_POISONS
#endif
#endif

#if defined(MEMLANE_POISONS)
#include <sanitizer/asan_interface.h>
#endif

namespace memlane::detail {

#if defined(MEMLANE_POISONS)
inline constexpr bool poisons = true;
inline void poison(const std::byte* memory, std::uint64_t bytes) noexcept {
  __asan_poison_memory_region(memory, static_cast<std::size_t>(bytes));
}
inline void unpoison(const std::byte* memory, std::uint64_t bytes) noexcept {
  __asan_unpoison_memory_region(memory, static_cast<std::size_t>(bytes));
}
[[nodiscard]] inline bool is_poisoned(const std::byte* byte) noexcept {
  return __asan_address_is_poisoned(byte) != 0;
}
#undef MEMLANE_POISONS
#else
inline constexpr bool poisons = false;
inline void poison(const std::byte*, std::uint64_t) noexcept {}
inline void unpoison(const std::byte*, std::uint64_t) noexcept {}
[[nodiscard]] inline bool is_poisoned(const std::byte*) noexcept {
  return false;
}
#endif

}  // namespace memlane::detail
