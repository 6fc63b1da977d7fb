// Element types in the three notations that Python meets: the core's DType, the buffer protocol's format strings
// (PEP 3118) and DLPack's (code, bits).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dlpack_abi.hpp"
#include "memlane/types/dtype.hpp"

namespace memlane::python {

/// What a view of ours calls its elements. bfloat16 has no format of its own and shows as the 16-bit numbers it is made of.
[[nodiscard]] const char* buffer_format(DType dtype) noexcept;

/// The DType of somebody else's buffer; nothing for what a lane cannot carry: objects, structs, text, foreign byte order.
[[nodiscard]] std::optional<DType> dtype_of_format(std::string_view format, std::int64_t item_size) noexcept;

/// Plain bytes show as uint8.
[[nodiscard]] dlpack::DataType dlpack_type(DType dtype) noexcept;

[[nodiscard]] std::optional<DType> dtype_of_dlpack(dlpack::DataType type) noexcept;

}  // namespace memlane::python
