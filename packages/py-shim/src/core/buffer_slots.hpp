// Python's buffer protocol for a class of ours that has get_buffer() and view_gone().
#pragma once

#include "errors.hpp"
#include "python.hpp"

namespace memlane::python {

template <class Object>
[[nodiscard]] Object& object_of(PyObject* self) {
  return *py::cast<Object*>(py::handle(self));
}

template <class Object>
int get_buffer_slot(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  try {
    return object_of<Object>(self).get_buffer(*view, flags, self) ? 0 : -1;
  } catch (...) {
    set_python_error();
    return -1;
  }
}

template <class Object>
void release_buffer_slot(PyObject* self, Py_buffer* /*view*/) {
  object_of<Object>(self).view_gone();
}

template <class Object>
[[nodiscard]] py::custom_type_setup with_buffer() {
  return py::custom_type_setup([](PyHeapTypeObject* type) {
    type->as_buffer.bf_getbuffer = get_buffer_slot<Object>;
    type->as_buffer.bf_releasebuffer = release_buffer_slot<Object>;
    type->ht_type.tp_as_buffer = &type->as_buffer;
  });
}

}  // namespace memlane::python
