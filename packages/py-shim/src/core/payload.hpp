// What a program hands to send(): anything with memory in it, seen as one array.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "memlane/types/dtype.hpp"
#include "memlane/types/shape.hpp"
#include "python.hpp"
#include "strided_copy.hpp"

namespace memlane::python {

/// Holds the object's memory in place while it lives: to be made and destroyed with the GIL.
class Payload {
 public:
  /// From the buffer protocol, else DLPack (memory of the CPU), else NumPy's array interface. Throws TypeError for what
  /// has no memory, or elements that a lane cannot carry.
  explicit Payload(py::handle object);

  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return array_.shape; }
  [[nodiscard]] std::size_t byte_count() const noexcept { return array_.byte_count(); }
  [[nodiscard]] bool is_contiguous() const noexcept { return array_.is_contiguous(); }
  /// Of a payload that is contiguous.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {array_.data, byte_count()}; }
  /// Needs no GIL.
  void copy_to(std::byte* destination) const noexcept { copy_in_c_order(destination, array_); }

 private:
  void from_buffer(py::handle object);
  void from_dlpack(py::handle object);

  // What holds the memory; its deleter lets go of it.
  std::unique_ptr<void, std::function<void(void*)>> holder_;
  StridedArray array_{};
  DType dtype_ = DType::none;
};

}  // namespace memlane::python
