#include "errors.hpp"

#include "memlane/error.hpp"
#include "text.hpp"

namespace memlane::python {

namespace {

void raise(const Error& error) {
  const auto exception = py::module_::import("memlane.errors")
                             .attr("from_core")(to_str(to_string(error.code())), to_str(error.what()),
                                                to_str(error.lane()), error.system_error());
  PyErr_SetObject(py::type::handle_of(exception).ptr(), exception.ptr());
}

}  // namespace

void register_errors() {
  py::register_local_exception_translator([](std::exception_ptr problem) {
    try {
      if (problem) std::rethrow_exception(problem);
    } catch (const Error& error) {
      raise(error);
    }
  });
}

void set_python_error() noexcept {
  try {
    try {
      throw;
    } catch (const Error& error) {
      raise(error);
    }
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

}  // namespace memlane::python
