// What the methods of a port that was closed say.
#pragma once

#include <string>

#include <memlane/memlane.hpp>

namespace memlane::addon {

/// A closed port is let go of at once, and not when JavaScript's object is collected: it has descriptors. `kind` is
/// "publisher" or "subscriber".
[[noreturn]] inline void throw_closed(const char* kind, const std::string& lane) {
  throw Error(ErrorCode::closed, std::string("the ") + kind + " of lane \"" + lane + "\" is closed", lane);
}

}  // namespace memlane::addon
