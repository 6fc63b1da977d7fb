// How a peer leaves in the middle of things.
#pragma once

#include <csignal>
#include <cstdlib>
#include <string>

namespace conformance {

class Leaving {
 public:
  /// May not return. If it does, the program is to return from main, ports open.
  void leave(const std::string& how) {
    if (how == "killed") ::raise(SIGKILL);
    if (how == "at-once") std::_Exit(0);
    begun_ = true;
  }

  [[nodiscard]] bool has_begun() const noexcept { return begun_; }

 private:
  bool begun_ = false;
};

}  // namespace conformance
