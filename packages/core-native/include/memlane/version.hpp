// The version of the library. The layout of shared memory has a version of its own: layout/version.hpp.
#pragma once

#include <string_view>

namespace memlane {

inline constexpr std::string_view version = "0.1.0";

}  // namespace memlane
