// pybind11, included in one way everywhere.
#pragma once

#include <pybind11/pybind11.h>

namespace memlane::python {

namespace py = pybind11;

}  // namespace memlane::python
