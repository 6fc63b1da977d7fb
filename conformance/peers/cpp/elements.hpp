// Arrays of every dtype, written and read as C++ sees them: element by element, through the typed views. Element i is
// value i modulo 11 of the dtype's row; the driver has the same rows as bits, in ../../scenarios/elements.json.
#pragma once

#include <array>
#include <bit>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memlane/memlane.hpp>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace conformance {

template <class T>
[[nodiscard]] constexpr T element(std::size_t index) {
  using Limits = std::numeric_limits<T>;
  const std::size_t i = index % 11;
  if constexpr (std::is_same_v<T, bool>) {
    return std::array{true, false, false, true, true, false, true, false, true, true, false}[i];
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::array<T, 11>{T(0),
                             -T(0),
                             T(1),
                             -T(1),
                             T(1.5),
                             T(-2.25),
                             Limits::max(),
                             Limits::denorm_min(),
                             Limits::infinity(),
                             -Limits::infinity(),
                             Limits::quiet_NaN()}[i];
  } else if constexpr (std::is_signed_v<T>) {
    return std::array<T, 11>{Limits::min(), Limits::max(), -1, 0, 1, 42, -99, 100, -128, 127, 7}[i];
  } else {
    return std::array<T, 11>{0, Limits::max(), 1, 2, 42, 99, static_cast<T>(Limits::max() - 1), 100, 128, 127, 7}[i];
  }
}

// C++20 has no type for these two: a program handles their bits.
struct Half {
  std::uint16_t bits;
};
struct Brain {
  std::uint16_t bits;
};

template <>
[[nodiscard]] constexpr Half element<Half>(std::size_t index) {
  constexpr std::array<std::uint16_t, 11> bits{0x0000, 0x8000, 0x3C00, 0xBC00, 0x3E00, 0xC080,
                                               0x7BFF, 0x0001, 0x7C00, 0xFC00, 0x7E00};
  return {bits[index % 11]};
}

template <>
[[nodiscard]] constexpr Brain element<Brain>(std::size_t index) {
  constexpr std::array<std::uint16_t, 11> bits{0x0000, 0x8000, 0x3F80, 0xBF80, 0x3FC0, 0xC010,
                                               0x7F7F, 0x0001, 0x7F80, 0xFF80, 0x7FC0};
  return {bits[index % 11]};
}

template <>
[[nodiscard]] constexpr std::complex<float> element<std::complex<float>>(std::size_t index) {
  return {element<float>(index), element<float>(index + 1)};
}

template <>
[[nodiscard]] constexpr std::complex<double> element<std::complex<double>>(std::size_t index) {
  return {element<double>(index), element<double>(index + 1)};
}

/// Calls `visit.operator()<T>()` with the C++ type of a dtype.
template <class Visit>
decltype(auto) with_type(memlane::DType dtype, Visit&& visit) {
  using memlane::DType;
  switch (dtype) {
    case DType::none: return visit.template operator()<std::uint8_t>();
    case DType::bool8: return visit.template operator()<bool>();
    case DType::int8: return visit.template operator()<std::int8_t>();
    case DType::int16: return visit.template operator()<std::int16_t>();
    case DType::int32: return visit.template operator()<std::int32_t>();
    case DType::int64: return visit.template operator()<std::int64_t>();
    case DType::uint8: return visit.template operator()<std::uint8_t>();
    case DType::uint16: return visit.template operator()<std::uint16_t>();
    case DType::uint32: return visit.template operator()<std::uint32_t>();
    case DType::uint64: return visit.template operator()<std::uint64_t>();
    case DType::float16: return visit.template operator()<Half>();
    case DType::bfloat16: return visit.template operator()<Brain>();
    case DType::float32: return visit.template operator()<float>();
    case DType::float64: return visit.template operator()<double>();
    case DType::complex64: return visit.template operator()<std::complex<float>>();
    case DType::complex128: return visit.template operator()<std::complex<double>>();
  }
  throw std::invalid_argument("unknown dtype");
}

/// Bits and not values: NaN is to be NaN, and -0 is not 0.
template <class T>
[[nodiscard]] bool same_bits(const T& a, const T& b) noexcept {
  return std::bit_cast<std::array<std::byte, sizeof(T)>>(a) == std::bit_cast<std::array<std::byte, sizeof(T)>>(b);
}

/// An empty text if every element of the sample is as it should be, else which one is not.
[[nodiscard]] inline std::string check_elements(const memlane::Sample& sample) {
  return with_type(sample.dtype(), [&]<class T>() -> std::string {
    const auto view = sample.as_array<T>();
    if (view.size() * sizeof(T) != sample.size()) return "the view has " + std::to_string(view.size()) + " elements";
    for (std::size_t i = 0; i < view.size(); ++i) {
      if (!same_bits(view[i], element<T>(i))) return "element " + std::to_string(i) + " differs";
    }
    return {};
  });
}

}  // namespace conformance
