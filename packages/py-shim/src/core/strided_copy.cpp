#include "strided_copy.hpp"

#include <cstring>

namespace memlane::python {

namespace {

struct Dimension {
  std::uint64_t extent;
  std::int64_t stride;  // bytes
};

// A loop over fixed-size memcpy: the compiler makes one load and one store of it.
template <std::size_t Bytes>
std::byte* copy_items(std::byte* to, const std::byte* from, const Dimension& row) noexcept {
  for (std::uint64_t i = 0; i < row.extent; ++i) {
    std::memcpy(to, from, Bytes);
    to += Bytes;
    from += row.stride;
  }
  return to;
}

std::byte* copy_row(std::byte* to, const std::byte* from, const Dimension& row, std::size_t item_size) noexcept {
  switch (item_size) {
    case 1: return copy_items<1>(to, from, row);
    case 2: return copy_items<2>(to, from, row);
    case 4: return copy_items<4>(to, from, row);
    case 8: return copy_items<8>(to, from, row);
    case 16: return copy_items<16>(to, from, row);
    default: break;
  }
  for (std::uint64_t i = 0; i < row.extent; ++i) {
    std::memcpy(to, from, item_size);
    to += item_size;
    from += row.stride;
  }
  return to;
}

std::byte* copy_block(std::byte* to, const std::byte* from, const Dimension* dimensions, std::size_t count,
                      std::size_t item_size) noexcept {
  if (count == 0) {
    std::memcpy(to, from, item_size);
    return to + item_size;
  }
  if (count == 1) return copy_row(to, from, *dimensions, item_size);
  for (std::uint64_t i = 0; i < dimensions->extent; ++i) {
    to = copy_block(to, from, dimensions + 1, count - 1, item_size);
    from += dimensions->stride;
  }
  return to;
}

}  // namespace

bool StridedArray::is_contiguous() const noexcept {
  auto expected = static_cast<std::int64_t>(item_size);
  for (std::size_t d = shape.ndim(); d-- > 0;) {
    if (shape[d] != 1 && strides[d] != expected) return shape.element_count() == 0;
    expected *= static_cast<std::int64_t>(shape[d]);
  }
  return true;
}

void copy_in_c_order(std::byte* to, const StridedArray& from) noexcept {
  if (from.shape.element_count() == 0) return;
  if (from.is_contiguous()) {
    std::memcpy(to, from.data, from.byte_count());
    return;
  }
  // Dimensions that lie one after the other in memory become one, and the innermost of those one big item: a crop of an
  // image is then a memcpy for each of its rows.
  std::array<Dimension, Shape::max_dimensions> dimensions{};
  std::size_t count = 0;
  for (std::size_t d = 0; d < from.shape.ndim(); ++d) {
    const Dimension next{from.shape[d], from.strides[d]};
    if (next.extent == 1) continue;
    if (count != 0 && dimensions[count - 1].stride == next.stride * static_cast<std::int64_t>(next.extent)) {
      dimensions[count - 1] = {dimensions[count - 1].extent * next.extent, next.stride};
    } else {
      dimensions[count++] = next;
    }
  }
  std::size_t item_size = from.item_size;
  if (count != 0 && dimensions[count - 1].stride == static_cast<std::int64_t>(item_size))
    item_size *= static_cast<std::size_t>(dimensions[--count].extent);
  copy_block(to, from.data, dimensions.data(), count, item_size);
}

}  // namespace memlane::python
