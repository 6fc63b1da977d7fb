#include "exported_array.hpp"

#include <cstring>
#include <memory>
#include <utility>

#include "dlpack_abi.hpp"
#include "element_format.hpp"

namespace memlane::python {

ExportedArray::ExportedArray(DType dtype, const Shape& shape) noexcept : dtype_(dtype), shape_(shape) {
  auto stride = static_cast<Py_ssize_t>(item_size(dtype));
  for (std::size_t d = shape.ndim(); d-- > 0;) {
    extents_[d] = static_cast<Py_ssize_t>(shape[d]);
    strides_[d] = stride;
    stride *= extents_[d];
  }
}

std::size_t ExportedArray::byte_count() const noexcept {
  return static_cast<std::size_t>(shape_.element_count()) * item_size(dtype_);
}

bool ExportedArray::fill(Py_buffer& view, int flags, py::handle owner, const std::byte* data, bool read_only) noexcept {
  const auto asks_for = [&](int what) { return (flags & what) == what; };
  if (read_only && asks_for(PyBUF_WRITABLE)) {
    PyErr_SetString(PyExc_BufferError, "a sample is read-only: others read the same memory; take a copy to write to");
    return false;
  }
  if (asks_for(PyBUF_F_CONTIGUOUS) && !asks_for(PyBUF_C_CONTIGUOUS) && !asks_for(PyBUF_ANY_CONTIGUOUS) &&
      shape_.ndim() > 1) {
    PyErr_SetString(PyExc_BufferError, "the payloads of a lane are row-major (C order), not Fortran order");
    return false;
  }
  view.buf = const_cast<std::byte*>(data);
  view.obj = owner.inc_ref().ptr();
  view.len = static_cast<Py_ssize_t>(byte_count());
  view.itemsize = static_cast<Py_ssize_t>(item_size(dtype_));
  view.readonly = read_only ? 1 : 0;
  view.ndim = static_cast<int>(shape_.ndim());
  view.format = asks_for(PyBUF_FORMAT) ? const_cast<char*>(buffer_format(dtype_)) : nullptr;
  view.shape = asks_for(PyBUF_ND) ? extents_.data() : nullptr;
  view.strides = asks_for(PyBUF_STRIDES) ? strides_.data() : nullptr;
  view.suboffsets = nullptr;
  view.internal = nullptr;
  return true;
}

DlpackRequest::DlpackRequest(py::handle stream, py::handle max_version, py::handle dl_device, py::handle copy_wish)
    : versioned(false), copy(py::reinterpret_borrow<py::object>(copy_wish)) {
  if (!stream.is_none())
    throw py::type_error("a stream belongs to a GPU, and this memory to the CPU: stream must be None");
  if (!copy_wish.is_none() && !PyBool_Check(copy_wish.ptr())) throw py::type_error("copy is True, False or None");
  if (!dl_device.is_none() && !py::make_tuple(dlpack::cpu, 0).equal(dl_device))
    throw py::buffer_error("lane memory is the CPU's: no other device can be exported to");
  if (!max_version.is_none())
    versioned = py::cast<std::uint32_t>(py::cast<py::tuple>(max_version)[0]) >= dlpack::version.major;
}

namespace {

/// What a capsule holds, and what keeps it alive.
template <class Managed>
struct Exported {
  Managed managed{};
  std::array<std::int64_t, Shape::max_dimensions> extents{};
  std::array<std::int64_t, Shape::max_dimensions> strides{};  // elements
  std::unique_ptr<std::byte[]> copy;                          // NOLINT(*-avoid-c-arrays): uninitialised memory
  PyObject* owner = nullptr;
  void (*on_gone)(py::handle owner) = nullptr;

  static void destroy(Managed* managed) {
    const std::unique_ptr<Exported> self(static_cast<Exported*>(managed->context));
    if (self->owner == nullptr || Py_IsInitialized() == 0) return;
    // The consumer may be done in any thread, with the GIL or without.
    const PyGILState_STATE gil = PyGILState_Ensure();
    self->on_gone(self->owner);
    Py_DECREF(self->owner);
    PyGILState_Release(gil);
  }
};

template <class Managed>
constexpr const char* capsule_name =
    std::is_same_v<Managed, dlpack::ManagedTensor> ? dlpack::capsule : dlpack::capsule_versioned;

template <class Managed>
std::unique_ptr<Exported<Managed>> describe(const ExportedArray& array, std::byte* data, std::uint64_t flags) {
  auto exported = std::make_unique<Exported<Managed>>();
  const Shape& shape = array.shape();
  std::int64_t stride = 1;
  for (std::size_t d = shape.ndim(); d-- > 0;) {
    exported->extents[d] = static_cast<std::int64_t>(shape[d]);
    exported->strides[d] = stride;
    stride *= exported->extents[d];
  }
  Managed& managed = exported->managed;
  managed.context = exported.get();
  managed.deleter = &Exported<Managed>::destroy;
  if constexpr (std::is_same_v<Managed, dlpack::ManagedTensorVersioned>) {
    managed.version = dlpack::version;
    managed.flags = flags;
  }
  managed.tensor = {data,
                    {dlpack::cpu, 0},
                    static_cast<std::int32_t>(shape.ndim()),
                    dlpack_type(array.dtype()),
                    exported->extents.data(),
                    exported->strides.data(),
                    0};
  return exported;
}

template <class Managed>
py::object to_capsule(std::unique_ptr<Exported<Managed>> exported) {
  PyObject* const capsule = PyCapsule_New(&exported->managed, capsule_name<Managed>, [](PyObject* self) {
    // Nobody took it over. A consumer that does renames it.
    if (PyCapsule_IsValid(self, capsule_name<Managed>) == 0) return;
    Exported<Managed>::destroy(static_cast<Managed*>(PyCapsule_GetPointer(self, capsule_name<Managed>)));
  });
  if (capsule == nullptr) throw py::error_already_set();
  static_cast<void>(exported.release());
  return py::reinterpret_steal<py::object>(capsule);
}

template <class Managed>
py::object view_capsule(const ExportedArray& array, const std::byte* data, bool read_only, py::object owner,
                        void (*on_gone)(py::handle)) {
  auto exported = describe<Managed>(array, const_cast<std::byte*>(data), read_only ? dlpack::flag_read_only : 0);
  exported->owner = owner.release().ptr();
  exported->on_gone = on_gone;
  return to_capsule(std::move(exported));
}

template <class Managed>
py::object copy_capsule(const ExportedArray& array, const std::byte* data) {
  const std::size_t bytes = array.byte_count();
  std::unique_ptr<std::byte[]> copy(new std::byte[bytes]);  // NOLINT(*-avoid-c-arrays)
  if (bytes != 0) std::memcpy(copy.get(), data, bytes);
  auto exported = describe<Managed>(array, copy.get(), dlpack::flag_is_copied);
  exported->copy = std::move(copy);
  return to_capsule(std::move(exported));
}

}  // namespace

py::object dlpack_view(const DlpackRequest& request, const ExportedArray& array, const std::byte* data, bool read_only,
                       py::object owner, void (*on_gone)(py::handle owner)) {
  if (request.versioned)
    return view_capsule<dlpack::ManagedTensorVersioned>(array, data, read_only, std::move(owner), on_gone);
  return view_capsule<dlpack::ManagedTensor>(array, data, read_only, std::move(owner), on_gone);
}

py::object dlpack_copy(const DlpackRequest& request, const ExportedArray& array, const std::byte* data) {
  if (request.versioned) return copy_capsule<dlpack::ManagedTensorVersioned>(array, data);
  return copy_capsule<dlpack::ManagedTensor>(array, data);
}

py::tuple to_tuple(const Shape& shape) {
  py::tuple extents(shape.ndim());
  for (std::size_t d = 0; d < shape.ndim(); ++d) extents[d] = shape[d];
  return extents;
}

}  // namespace memlane::python
