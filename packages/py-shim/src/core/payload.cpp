#include "payload.hpp"

#include <array>
#include <span>
#include <utility>

#include "arguments.hpp"
#include "dlpack_abi.hpp"
#include "element_format.hpp"

namespace memlane::python {

namespace {

bool has(py::handle object, const char* attribute) {
  return py::hasattr(py::type::handle_of(object), attribute);
}

/// bytes and bytearray are bytes without a type, and so is a row of them that a memoryview shows. An array of uint8 has one.
bool is_plain_bytes(py::handle object) {
  if (PyMemoryView_Check(object.ptr())) {
    const py::object owner = object.attr("obj");
    return is_plain_bytes(owner);
  }
  return PyBytes_Check(object.ptr()) || PyByteArray_Check(object.ptr());
}

[[noreturn]] void refuse_elements(const std::string& what) {
  throw py::type_error("a lane cannot carry " + what +
                       ": convert them to numbers, or send their bytes with an encoding that says what they are");
}

template <class Extent>
Shape shape_of(int ndim, const Extent* extents) {
  if (std::cmp_greater(ndim, Shape::max_dimensions)) {
    throw Error(ErrorCode::out_of_range, "an array has at most 8 dimensions, this one has " + std::to_string(ndim));
  }
  return Shape(std::span<const Extent>(extents, static_cast<std::size_t>(ndim)));
}

/// For an exporter that gives none: row-major.
std::array<std::int64_t, Shape::max_dimensions> row_major_strides(const Shape& shape, std::size_t item_size) {
  std::array<std::int64_t, Shape::max_dimensions> strides{};
  auto stride = static_cast<std::int64_t>(item_size);
  for (std::size_t d = shape.ndim(); d-- > 0;) {
    strides[d] = stride;
    stride *= static_cast<std::int64_t>(shape[d]);
  }
  return strides;
}

bool is_indirect(const Py_buffer& view) {
  if (view.suboffsets == nullptr) return false;
  for (int d = 0; d < view.ndim; ++d) {
    if (view.suboffsets[d] >= 0) return true;
  }
  return false;
}

}  // namespace

Payload::Payload(py::handle object) {
  if (PyObject_CheckBuffer(object.ptr()) != 0) {
    from_buffer(object);
  } else if (has(object, "__dlpack__")) {
    from_dlpack(object);
  } else if (py::hasattr(object, "__array_interface__") || has(object, "__array__")) {
    from_buffer(py::module_::import("numpy").attr("asarray")(object));
  } else {
    throw py::type_error("send takes bytes, an array or another object with a buffer, and not " + type_name(object));
  }
}

void Payload::from_buffer(py::handle object) {
  auto* const view = new Py_buffer{};
  holder_ = {view, [](void* held) {
               auto* const buffer = static_cast<Py_buffer*>(held);
               PyBuffer_Release(buffer);  // does nothing if there is none
               delete buffer;
             }};
  if (PyObject_GetBuffer(object.ptr(), view, PyBUF_FULL_RO) != 0) {
    py::error_already_set refusal;
    // NumPy's answer for elements that the protocol has no format for, such as dates.
    if (refusal.matches(PyExc_ValueError)) refuse_elements("the elements of this " + type_name(object));
    throw refusal;
  }
  const std::string format = view->format == nullptr ? "B" : view->format;
  const auto known = dtype_of_format(format, view->itemsize);
  if (!known) refuse_elements(format == "O" ? "Python objects" : "elements of the format \"" + format + "\"");
  dtype_ = *known == DType::uint8 && view->ndim == 1 && is_plain_bytes(object) ? DType::none : *known;
  array_.item_size = static_cast<std::size_t>(view->itemsize);
  array_.shape = shape_of(view->ndim, view->shape);
  array_.strides = row_major_strides(array_.shape, array_.item_size);
  array_.data = static_cast<const std::byte*>(view->buf);
  if (is_indirect(*view)) {
    // An array of pointers to rows. Rare enough for Python's own, slow, copy.
    const auto bytes = py::reinterpret_steal<py::bytes>(PyBytes_FromStringAndSize(nullptr, view->len));
    if (!bytes || PyBuffer_ToContiguous(PyBytes_AS_STRING(bytes.ptr()), view, view->len, 'C') != 0)
      throw py::error_already_set();
    array_.data = reinterpret_cast<const std::byte*>(PyBytes_AS_STRING(bytes.ptr()));
    holder_ = {bytes.inc_ref().ptr(), [](void* held) { Py_DECREF(static_cast<PyObject*>(held)); }};
  } else if (view->strides != nullptr) {
    for (int d = 0; d < view->ndim; ++d) array_.strides[static_cast<std::size_t>(d)] = view->strides[d];
  }
}

void Payload::from_dlpack(py::handle object) {
  const auto device = py::cast<py::tuple>(object.attr("__dlpack_device__")());
  if (py::cast<int>(device[0]) != dlpack::cpu) {
    throw py::type_error("this " + type_name(object) + " lies on another device: move it to the CPU first");
  }
  py::object capsule;
  try {
    using namespace py::literals;
    capsule = object.attr("__dlpack__")("max_version"_a = py::make_tuple(dlpack::version.major, dlpack::version.minor));
  } catch (const py::error_already_set& refusal) {
    if (!refusal.matches(PyExc_TypeError)) throw;
    capsule = object.attr("__dlpack__")();  // older than DLPack 1.0
  }
  const dlpack::Tensor* tensor = nullptr;
  if (PyCapsule_IsValid(capsule.ptr(), dlpack::capsule_versioned) != 0) {
    auto* const managed =
        static_cast<dlpack::ManagedTensorVersioned*>(PyCapsule_GetPointer(capsule.ptr(), dlpack::capsule_versioned));
    if (managed->version.major != dlpack::version.major)
      throw py::type_error("this " + type_name(object) + " speaks another version of DLPack");
    PyCapsule_SetName(capsule.ptr(), dlpack::capsule_versioned_used);
    holder_ = {managed, [](void* held) {
                 auto* const taken = static_cast<dlpack::ManagedTensorVersioned*>(held);
                 if (taken->deleter != nullptr) taken->deleter(taken);
               }};
    tensor = &managed->tensor;
  } else {
    auto* const managed = static_cast<dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), dlpack::capsule));
    if (managed == nullptr) throw py::error_already_set();
    PyCapsule_SetName(capsule.ptr(), dlpack::capsule_used);
    holder_ = {managed, [](void* held) {
                 auto* const taken = static_cast<dlpack::ManagedTensor*>(held);
                 if (taken->deleter != nullptr) taken->deleter(taken);
               }};
    tensor = &managed->tensor;
  }
  const auto known = dtype_of_dlpack(tensor->dtype);
  if (!known) refuse_elements("the elements of this " + type_name(object));
  dtype_ = *known;
  array_.item_size = item_size(dtype_);
  array_.shape = shape_of(tensor->ndim, tensor->shape);
  array_.strides = row_major_strides(array_.shape, array_.item_size);
  array_.data = static_cast<const std::byte*>(tensor->data) + tensor->byte_offset;
  if (tensor->strides != nullptr) {
    for (std::size_t d = 0; d < array_.shape.ndim(); ++d)
      array_.strides[d] = tensor->strides[d] * static_cast<std::int64_t>(array_.item_size);
  }
}

}  // namespace memlane::python
