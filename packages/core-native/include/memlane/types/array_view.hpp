// A typed look at a payload: elements and shape, no ownership.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "memlane/types/shape.hpp"

namespace memlane {

/// Row-major elements of a sample or loan. Valid as long as what it was taken from.
template <class T>
class ArrayView {
 public:
  ArrayView(T* data, const Shape& shape) noexcept : data_(data), shape_(shape) {}

  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(shape_.element_count()); }
  [[nodiscard]] std::span<T> span() const noexcept { return {data_, size()}; }
  [[nodiscard]] T& operator[](std::size_t index) const noexcept { return data_[index]; }
  [[nodiscard]] T* begin() const noexcept { return data_; }
  [[nodiscard]] T* end() const noexcept { return data_ + size(); }

  /// The element at one index a dimension, e.g. `image(y, x, channel)`; indexes are not checked.
  template <class... Index>
  [[nodiscard]] T& operator()(Index... index) const noexcept {
    std::size_t position = 0;
    std::size_t dimension = 0;
    ((position = position * static_cast<std::size_t>(shape_[dimension++]) + static_cast<std::size_t>(index)), ...);
    return data_[position];
  }

 private:
  T* data_;
  Shape shape_;
};

}  // namespace memlane
