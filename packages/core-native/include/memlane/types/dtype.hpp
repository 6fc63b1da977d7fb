// The element types that all three languages share, with their names and sizes.
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace memlane {

/// The type of a payload's elements. The values travel in shared memory: never renumber.
enum class DType : std::uint8_t {
  none = 0,  ///< plain bytes, no element type
  bool8 = 1,
  int8 = 2,
  int16 = 3,
  int32 = 4,
  int64 = 5,
  uint8 = 6,
  uint16 = 7,
  uint32 = 8,
  uint64 = 9,
  float16 = 10,
  bfloat16 = 11,
  float32 = 12,
  float64 = 13,
  complex64 = 14,
  complex128 = 15,
};

namespace detail {

struct DTypeInfo {
  std::string_view name;
  std::size_t size;  // bytes of an element
};

inline constexpr std::array<DTypeInfo, 16> dtype_table{{{"bytes", 1},
                                                        {"bool", 1},
                                                        {"int8", 1},
                                                        {"int16", 2},
                                                        {"int32", 4},
                                                        {"int64", 8},
                                                        {"uint8", 1},
                                                        {"uint16", 2},
                                                        {"uint32", 4},
                                                        {"uint64", 8},
                                                        {"float16", 2},
                                                        {"bfloat16", 2},
                                                        {"float32", 4},
                                                        {"float64", 8},
                                                        {"complex64", 8},
                                                        {"complex128", 16}}};

}  // namespace detail

/// True for every value of the enumeration; a byte from shared memory may be another.
[[nodiscard]] constexpr bool is_known(DType dtype) noexcept {
  return static_cast<std::size_t>(dtype) < detail::dtype_table.size();
}

/// The name as NumPy writes it; "bytes" for `none`.
[[nodiscard]] constexpr std::string_view to_string(DType dtype) noexcept {
  return is_known(dtype) ? detail::dtype_table[static_cast<std::size_t>(dtype)].name : "unknown";
}

/// Bytes of one element; 1 for `none`, 0 for a value outside the enumeration.
[[nodiscard]] constexpr std::size_t item_size(DType dtype) noexcept {
  return is_known(dtype) ? detail::dtype_table[static_cast<std::size_t>(dtype)].size : 0;
}

[[nodiscard]] constexpr std::optional<DType> dtype_from_string(std::string_view name) noexcept {
  for (std::size_t i = 0; i < detail::dtype_table.size(); ++i) {
    if (detail::dtype_table[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

namespace detail {

template <class T>
constexpr DType dtype_of_type() noexcept {
  if constexpr (std::is_same_v<T, bool>) {
    return DType::bool8;
  } else if constexpr (std::is_same_v<T, std::complex<float>>) {
    return DType::complex64;
  } else if constexpr (std::is_same_v<T, std::complex<double>>) {
    return DType::complex128;
  } else if constexpr (std::is_floating_point_v<T> && sizeof(T) == 4) {
    return DType::float32;
  } else if constexpr (std::is_floating_point_v<T> && sizeof(T) == 8) {
    return DType::float64;
  } else if constexpr (std::is_integral_v<T>) {
    constexpr bool is_signed = std::is_signed_v<T>;
    switch (sizeof(T)) {
      case 1: return is_signed ? DType::int8 : DType::uint8;
      case 2: return is_signed ? DType::int16 : DType::uint16;
      case 4: return is_signed ? DType::int32 : DType::uint32;
      default: return is_signed ? DType::int64 : DType::uint64;
    }
  } else {
    return DType::none;  // a user's struct travels as bytes
  }
}

}  // namespace detail

/// The DType of a C++ element type; `none` for a trivially copyable struct.
template <class T>
inline constexpr DType dtype_of = detail::dtype_of_type<std::remove_cv_t<T>>();

}  // namespace memlane
