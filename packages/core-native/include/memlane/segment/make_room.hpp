// Room in a vector, made where that may fail, for what is put in where nothing may.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace memlane::detail {

/// As reserve(), but by factors, so that growing step by step stays cheap.
template <class T>
void make_room(std::vector<T>& vector, std::size_t size) {
  if (vector.capacity() < size) vector.reserve(std::max(size, 2 * vector.capacity()));
}

}  // namespace memlane::detail
