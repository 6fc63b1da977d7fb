// For programs that say `#include "share_memory.h"`: put this folder on the include path. It gives them the old names and
// nothing else; in particular it does not open namespace std for them.
#pragma once

#include <sys/types.h>  // u_char, key_t

#include "memlane/compat/share_memory.hpp"

inline constexpr int CAN_WRITE = memlane::compat::can_write;
inline constexpr int CAN_READ = memlane::compat::can_read;
inline constexpr int PROCESSING = memlane::compat::processing;

namespace ShareMem {
using memlane::compat::ShareData;
using memlane::compat::ShareMemory;
}  // namespace ShareMem
