// The core's exceptions as those of memlane/errors.py.
#pragma once

#include "python.hpp"

namespace memlane::python {

/// From now on every memlane::Error that leaves the module becomes the class that errors.py has for its code.
void register_errors();

/// Sets the current memlane::Error as Python's error: for C slots, which pybind11 does not guard. Call it in a catch block.
void set_python_error() noexcept;

}  // namespace memlane::python
