// Starting the service thread.
#pragma once

#include <thread>

namespace memlane::detail::platform {

/// Runs `run()` in a new thread that never handles a signal of the program. The caller owns the result; a plain pointer, since
/// in a forked child it must be neither joined nor destroyed. Throws Error(system | out_of_memory).
template <class Run>
[[nodiscard]] std::thread* start_thread(Run&& run);

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/thread.hpp"
#endif
