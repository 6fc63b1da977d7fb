// Python values as the core's types. A value of the wrong type raises TypeError that says what was expected; one of the
// right type that makes no sense raises a memlane.Error, which is also a ValueError.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "memlane/lane_name.hpp"
#include "memlane/options.hpp"
#include "memlane/types/dtype.hpp"
#include "memlane/types/shape.hpp"
#include "python.hpp"

namespace memlane::python {

/// A whole number within bounds. `what` names it in messages, e.g. "depth".
[[nodiscard]] std::uint64_t whole_number(py::handle value, const char* what, std::uint64_t lowest,
                                         std::uint64_t highest);

/// True or False. `what` names it in messages.
[[nodiscard]] bool truth(py::handle value, const char* what);

/// Text as UTF-8. Throws Error(`code`) for text that has no UTF-8 form (lone surrogates).
[[nodiscard]] std::string text(py::handle value, const char* what, ErrorCode code = ErrorCode::invalid_argument);

/// A str, or an int as a key.
[[nodiscard]] LaneName lane_name(py::handle value);

/// Seconds; None waits for ever, a negative number does not wait.
[[nodiscard]] Timeout timeout(py::handle value, const char* what = "timeout");

/// Seconds; None is adaptive.
[[nodiscard]] Spin spin(py::handle value);

/// None, str or os.PathLike.
[[nodiscard]] std::filesystem::path directory(py::handle value);

/// None, str, or an int as the group's number.
[[nodiscard]] std::string group(py::handle value);

[[nodiscard]] Overflow overflow(py::handle value);

/// A name from the core's table, e.g. "uint8".
[[nodiscard]] DType dtype(py::handle value);

/// An int, or a sequence of ints.
[[nodiscard]] Shape shape(py::handle value);

/// "int", "numpy.ndarray": for messages.
[[nodiscard]] std::string type_name(py::handle value);

}  // namespace memlane::python
