#include "element_format.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace memlane::python {

namespace {

struct Notation {
  DType dtype;
  const char* format;
  dlpack::TypeCode code;
};

static_assert(sizeof(long) == 8, "the formats below are those of LP64");

// In the order of DType. "l" and not "q": it is what NumPy itself calls its int64 on this platform.
constexpr std::array<Notation, 16> notations{{{DType::none, "B", dlpack::TypeCode::unsigned_integer},
                                              {DType::bool8, "?", dlpack::TypeCode::boolean},
                                              {DType::int8, "b", dlpack::TypeCode::signed_integer},
                                              {DType::int16, "h", dlpack::TypeCode::signed_integer},
                                              {DType::int32, "i", dlpack::TypeCode::signed_integer},
                                              {DType::int64, "l", dlpack::TypeCode::signed_integer},
                                              {DType::uint8, "B", dlpack::TypeCode::unsigned_integer},
                                              {DType::uint16, "H", dlpack::TypeCode::unsigned_integer},
                                              {DType::uint32, "I", dlpack::TypeCode::unsigned_integer},
                                              {DType::uint64, "L", dlpack::TypeCode::unsigned_integer},
                                              {DType::float16, "e", dlpack::TypeCode::floating},
                                              {DType::bfloat16, "H", dlpack::TypeCode::bfloat},
                                              {DType::float32, "f", dlpack::TypeCode::floating},
                                              {DType::float64, "d", dlpack::TypeCode::floating},
                                              {DType::complex64, "Zf", dlpack::TypeCode::complex},
                                              {DType::complex128, "Zd", dlpack::TypeCode::complex}}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < notations.size(); ++i) {
    if (notations[i].dtype != static_cast<DType>(i)) return false;
  }
  return notations.size() == detail::dtype_table.size();
}
static_assert(is_in_order());

constexpr const Notation& notation(DType dtype) {
  return notations[is_known(dtype) ? static_cast<std::size_t>(dtype) : 0];
}

std::optional<DType> integer(bool is_signed, std::int64_t item_size) noexcept {
  switch (item_size) {
    case 1: return is_signed ? DType::int8 : DType::uint8;
    case 2: return is_signed ? DType::int16 : DType::uint16;
    case 4: return is_signed ? DType::int32 : DType::uint32;
    case 8: return is_signed ? DType::int64 : DType::uint64;
    default: return std::nullopt;
  }
}

std::optional<DType> if_size(DType dtype, std::int64_t item_size) noexcept {
  if (std::cmp_not_equal(memlane::item_size(dtype), item_size)) return std::nullopt;
  return dtype;
}

}  // namespace

const char* buffer_format(DType dtype) noexcept {
  return notation(dtype).format;
}

std::optional<DType> dtype_of_format(std::string_view format, std::int64_t item_size) noexcept {
  constexpr bool little = std::endian::native == std::endian::little;
  if (!format.empty()) {
    const char order = format.front();
    const bool native = order == '@' || order == '=' || order == (little ? '<' : '>');
    const bool foreign = order == '!' || order == (little ? '>' : '<');
    // The order of a single byte means nothing.
    if (native || (foreign && item_size == 1)) format.remove_prefix(1);
  }
  if (format == "Zf") return if_size(DType::complex64, item_size);
  if (format == "Zd") return if_size(DType::complex128, item_size);
  if (format.size() != 1) return std::nullopt;
  switch (format.front()) {
    case '?': return if_size(DType::bool8, item_size);
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
    case 'n': return integer(true, item_size);
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
    case 'N': return integer(false, item_size);
    case 'e': return if_size(DType::float16, item_size);
    case 'f': return if_size(DType::float32, item_size);
    case 'd': return if_size(DType::float64, item_size);
    // Python 3.15's own letters for complex numbers.
    case 'F': return if_size(DType::complex64, item_size);
    case 'D': return if_size(DType::complex128, item_size);
    case 'c': return if_size(DType::none, item_size);
    default: return std::nullopt;
  }
}

dlpack::DataType dlpack_type(DType dtype) noexcept {
  return {static_cast<std::uint8_t>(notation(dtype).code), static_cast<std::uint8_t>(8 * item_size(dtype)), 1};
}

std::optional<DType> dtype_of_dlpack(dlpack::DataType type) noexcept {
  if (type.lanes != 1) return std::nullopt;
  for (const Notation& each : notations) {
    if (each.dtype == DType::none) continue;
    const dlpack::DataType known = dlpack_type(each.dtype);
    if (known.code == type.code && known.bits == type.bits) return each.dtype;
  }
  return std::nullopt;
}

}  // namespace memlane::python
