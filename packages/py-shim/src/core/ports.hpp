// The compiled halves of memlane.Publisher and memlane.Subscriber, and the wait on many of them.
#pragma once

#include "python.hpp"

namespace memlane::python {

void define_publisher(py::module_& module);
void define_subscriber(py::module_& module);
void define_wait(py::module_& module);

}  // namespace memlane::python
