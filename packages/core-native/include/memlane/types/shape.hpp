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

  /// One extent, from any integer; a negative one throws Error(out_of_range). A type of its own, so that the integers of
  /// one shape may be of different types: `{height, width, 3}`.
  class Extent {
   public:
    template <std::integral Integer>
    constexpr Extent(Integer value)
        : value_(static_cast<std::uint64_t>(value)) {  // NOLINT(google-explicit-constructor)
      if (std::cmp_less(value, 0)) {
        throw Error(ErrorCode::out_of_range, "a shape cannot have a negative extent (" + std::to_string(value) + ")");
      }
    }
    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }

   private:
    std::uint64_t value_;
  };

  /// More than 8 extents throw Error(out_of_range).
  Shape(std::initializer_list<Extent> extents) {  // NOLINT(google-explicit-constructor)
    check_count(extents.size());
    for (const Extent extent : extents) extents_[dimensions_++] = extent.value();
  }

  template <std::integral Integer, std::size_t N>
  explicit Shape(std::span<const Integer, N> extents) {
    check_count(extents.size());
    for (const Extent extent : extents) extents_[dimensions_++] = extent.value();
  }

  [[nodiscard]] constexpr std::size_t ndim() const noexcept { return dimensions_; }
  [[nodiscard]] constexpr std::span<const std::uint64_t> dims() const noexcept {
    return {extents_.data(), dimensions_};
  }
  [[nodiscard]] constexpr std::uint64_t operator[](std::size_t dimension) const noexcept { return extents_[dimension]; }

  /// The product of the extents times `item_size`, or nothing if it does not fit into 63 bits. Beside an extent of 0 the
  /// others must fit as well, since other libraries (NumPy is one) multiply them before they look for zeros.
  [[nodiscard]] constexpr std::optional<std::uint64_t> byte_count(std::uint64_t item_size) const noexcept {
    std::uint64_t bytes = item_size;
    bool empty = false;
    for (const std::uint64_t extent : dims()) {
      empty = empty || extent == 0;
      if (extent == 0) continue;
      if (bytes > largest / extent) return std::nullopt;
      bytes *= extent;
    }
    return empty ? 0 : bytes;
  }

  [[nodiscard]] constexpr std::uint64_t element_count() const noexcept { return byte_count(1).value_or(0); }

  friend constexpr bool operator==(const Shape& a, const Shape& b) noexcept {
    return std::ranges::equal(a.dims(), b.dims());
  }

 private:
  static constexpr std::uint64_t largest = (std::uint64_t{1} << 63) - 1;

  static void check_count(std::size_t count) {
    if (count <= max_dimensions) return;
    throw Error(ErrorCode::out_of_range, "a shape has at most 8 dimensions, this one has " + std::to_string(count));
  }

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
