// Whom a lane directory lets in.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace memlane::detail::platform {

/// The user of this process alone; or the members of one group as well, whatever their users.
struct Access {
  std::optional<std::uint32_t> group = {};
  friend auto operator<=>(const Access&, const Access&) = default;
};

/// For the option `group`: a group's name, or its number in digits; empty: the user alone. Throws Error(invalid_argument) if
/// there is no such group, Error(permission_denied) if this process is not in it, since nobody would let it in then.
[[nodiscard]] inline Access access_for(const std::string& group);

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/access.hpp"
#endif
