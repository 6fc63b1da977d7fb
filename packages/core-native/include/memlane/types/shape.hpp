// The extents of an array of up to 8 dimensions.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "memlane/error.hpp"

namespace memlane {

/// Extents in elements, outermost first (row-major, as C and NumPy lay arrays out). No dimension at all is a scalar.
class Shape {
 public:
  static constexpr std::size_t max_dimensions = 8;

  constexpr Shape() noexcept = default;

  /// From any integers; a negative extent or more than 8 of them throws Error(out_of_range).
  template <std::integral Extent>
  Shape(std::initializer_list<Extent> extents)  // NOLINT(google-explicit-constructor)
      : Shape(std::span<const Extent>(extents.begin(), extents.size())) {}

  template <std::integral Extent, std::size_t N>
  explicit Shape(std::span<const Extent, N> extents) {
    if (extents.size() > max_dimensions) {
      throw Error(ErrorCode::out_of_range,
                  "a shape has at most 8 dimensions, this one has " + std::to_string(extents.size()));
    }
    for (const Extent extent : extents) {
      if (std::cmp_less(extent, 0)) {
        throw Error(ErrorCode::out_of_range, "a shape cannot have a negative extent (" + std::to_string(extent) + ")");
      }
      extents_[dimensions_++] = static_cast<std::uint64_t>(extent);
    }
  }

  [[nodiscard]] constexpr std::size_t ndim() const noexcept { return dimensions_; }
  [[nodiscard]] constexpr std::span<const std::uint64_t> dims() const noexcept {
    return {extents_.data(), dimensions_};
  }
  [[nodiscard]] constexpr std::uint64_t operator[](std::size_t dimension) const noexcept { return extents_[dimension]; }

  /// The product of the extents times `item_size`, or nothing if it does not fit into 63 bits.
  [[nodiscard]] constexpr std::optional<std::uint64_t> byte_count(std::uint64_t item_size) const noexcept {
    if (std::ranges::find(dims(), 0U) != dims().end()) return 0;
    std::uint64_t bytes = item_size;
    for (const std::uint64_t extent : dims()) {
      if (bytes > largest / extent) return std::nullopt;
      bytes *= extent;
    }
    return bytes;
  }

  [[nodiscard]] constexpr std::uint64_t element_count() const noexcept { return byte_count(1).value_or(0); }

  friend constexpr bool operator==(const Shape& a, const Shape& b) noexcept {
    return std::ranges::equal(a.dims(), b.dims());
  }

 private:
  static constexpr std::uint64_t largest = (std::uint64_t{1} << 63) - 1;

  std::array<std::uint64_t, max_dimensions> extents_{};
  std::size_t dimensions_ = 0;
};

/// "1080x1920x3", for messages; "scalar" where there is no dimension.
[[nodiscard]] inline std::string to_string(const Shape& shape) {
  if (shape.ndim() == 0) return "scalar";
  std::string text;
  for (const std::uint64_t extent : shape.dims()) {
    if (!text.empty()) text += 'x';
    text += std::to_string(extent);
  }
  return text;
}

}  // namespace memlane
