// Ending a wait whose thread has been told to end.
#pragma once

#include <napi.h>

#include <memlane/memlane.hpp>

namespace memlane::addon {

/// For every call into the core that may wait: asks from time to time whether the environment is being terminated
/// (worker.terminate(), process.exit() elsewhere). Node waits for a worker's thread to end, so nothing may go on waiting
/// in it.
[[nodiscard]] detail::Interrupt interrupt_of(Napi::Env env);

}  // namespace memlane::addon
