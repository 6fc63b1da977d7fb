// Text of other processes as str. It should be UTF-8; what is not is replaced, never an exception.
#pragma once

#include <string_view>

#include "python.hpp"

namespace memlane::python {

[[nodiscard]] inline py::str to_str(std::string_view text) {
  auto* const made = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

}  // namespace memlane::python
