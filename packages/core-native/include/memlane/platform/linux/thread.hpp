#pragma once

#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include "memlane/platform/linux/sys.hpp"
#include "memlane/platform/signals.hpp"

namespace memlane::detail::platform {

template <class Run>
std::thread* start_thread(Run&& run) {
  const SignalsHeldBack hold;
  std::unique_ptr<std::thread> thread;
  const int started = sys::call("pthread_create", [&] {
    try {
      thread = std::make_unique<std::thread>(std::forward<Run>(run));
      return 0;
    } catch (const std::system_error& error) {
      errno = error.code().value();
    } catch (const std::bad_alloc&) {
      errno = ENOMEM;
    }
    return -1;
  });
  if (started != 0) sys::fail("cannot start the service thread", errno);
  return thread.release();
}

}  // namespace memlane::detail::platform
