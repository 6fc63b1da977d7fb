// Lane memory as an array of Python's: through the buffer protocol and through DLPack.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "memlane/types/dtype.hpp"
#include "memlane/types/shape.hpp"
#include "python.hpp"

namespace memlane::python {

/// The form of an array, as views of it point to it: it must live as long as they do. Row-major.
class ExportedArray {
 public:
  ExportedArray(DType dtype, const Shape& shape) noexcept;

  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::size_t byte_count() const noexcept;

  /// Fills `view` in as a bf_getbuffer slot must. False, with BufferError set: the consumer asked for what is not there.
  [[nodiscard]] bool fill(Py_buffer& view, int flags, py::handle owner, const std::byte* data, bool read_only) noexcept;

 private:
  DType dtype_;
  Shape shape_;
  std::array<Py_ssize_t, Shape::max_dimensions> extents_{};
  std::array<Py_ssize_t, Shape::max_dimensions> strides_{};  // bytes
};

/// The arguments of `__dlpack__`, checked. Throws BufferError for a device that is not the CPU.
struct DlpackRequest {
  bool versioned;   // the consumer knows DLPack 1.0
  py::object copy;  // True: must be a copy; False: must not; None: as it suits us

  DlpackRequest(py::handle stream, py::handle max_version, py::handle dl_device, py::handle copy);
  [[nodiscard]] bool must_copy() const { return copy.ptr() == Py_True; }
  [[nodiscard]] bool must_not_copy() const { return copy.ptr() == Py_False; }
};

/// A capsule over memory that `owner` keeps. Calls `on_gone(owner)`, with the GIL, when the consumer is done.
[[nodiscard]] py::object dlpack_view(const DlpackRequest& request, const ExportedArray& array, const std::byte* data,
                                     bool read_only, py::object owner, void (*on_gone)(py::handle owner));

/// A capsule over a copy, which is the consumer's own.
[[nodiscard]] py::object dlpack_copy(const DlpackRequest& request, const ExportedArray& array, const std::byte* data);

/// Gives a class with a bf_getbuffer slot the method of that protocol which Python has from 3.12 on (PEP 688).
template <class Object>
void define_buffer_method([[maybe_unused]] py::class_<Object>& type) {
#if PY_VERSION_HEX < 0x030C0000
  type.def("__buffer__", [](py::handle self, int) { return py::memoryview(py::reinterpret_borrow<py::object>(self)); });
#endif
}

/// A shape as a tuple of int.
[[nodiscard]] py::tuple to_tuple(const Shape& shape);

}  // namespace memlane::python
