// Copying an array whose elements do not lie one after the other into one where they do, in C order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "memlane/types/shape.hpp"

namespace memlane::python {

/// Where the elements of an array lie. Strides are in bytes and may be 0 or negative.
struct StridedArray {
  const std::byte* data;  // the element at index 0 of every dimension
  std::size_t item_size;  // bytes
  Shape shape;
  std::array<std::int64_t, Shape::max_dimensions> strides;

  [[nodiscard]] bool is_contiguous() const noexcept;
  [[nodiscard]] std::size_t byte_count() const noexcept {
    return static_cast<std::size_t>(shape.element_count()) * item_size;
  }
};

/// `to` must have room for `from.byte_count()` bytes. Touches no Python object.
void copy_in_c_order(std::byte* to, const StridedArray& from) noexcept;

}  // namespace memlane::python
