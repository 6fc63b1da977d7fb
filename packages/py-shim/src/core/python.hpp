// pybind11, included in one way everywhere.
#pragma once

#include <pybind11/pybind11.h>

namespace memlane::python {

namespace py = pybind11;

/// A class like any other, with `type` for its type. pybind11's own metaclass is for classes that are derived from.
inline py::metaclass plain_class() {
  return py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
}

}  // namespace memlane::python
