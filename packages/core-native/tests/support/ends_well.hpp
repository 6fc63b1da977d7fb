// How a forked child ends.
#pragma once

#include <sys/wait.h>

#include <csignal>

#include "support/eventually.hpp"

namespace memlane::test {

/// Whether a process ends by itself, and well.
inline bool ends_well(pid_t child) {
  int status = -1;
  const bool ended = eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; });
  if (!ended) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
  }
  return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace memlane::test
