// Who this process is, and randomness for names that are never used twice.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace memlane::detail::platform {

[[nodiscard]] inline std::int64_t process_id() noexcept;
[[nodiscard]] inline std::uint32_t user_id() noexcept;
[[nodiscard]] inline std::string process_name();
[[nodiscard]] inline std::array<std::uint64_t, 2> random_128();
[[nodiscard]] inline unsigned core_count() noexcept;

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/process.hpp"
#endif
