// What a ring throws when the other side's half cannot be true. It ends that link, and only that link.
#pragma once

#include <stdexcept>

namespace memlane::detail {

class Corruption : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace memlane::detail
