#include "arguments.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

namespace memlane::python {

namespace {

[[noreturn]] void refuse_type(const std::string& what, const char* expected, py::handle value) {
  throw py::type_error(what + " is " + expected + ", not " + type_name(value));
}

std::string shown(py::handle value) {
  return py::cast<std::string>(py::repr(value));
}

double seconds(py::handle value, const char* what, const char* expected) {
  const double number = PyFloat_AsDouble(value.ptr());
  if (number == -1.0 && PyErr_Occurred() != nullptr) {
    const bool wrong_type = PyErr_ExceptionMatches(PyExc_TypeError) != 0;
    if (!wrong_type && PyErr_ExceptionMatches(PyExc_OverflowError) == 0) throw py::error_already_set();
    PyErr_Clear();
    if (wrong_type) refuse_type(what, expected, value);
    return std::numeric_limits<double>::infinity();  // an int that no float can hold
  }
  if (std::isnan(number)) throw Error(ErrorCode::invalid_argument, std::string(what) + " is not a number");
  return number;
}

}  // namespace

std::string type_name(py::handle value) {
  const py::handle type = py::type::handle_of(value);
  const auto module = py::cast<std::string>(py::str(type.attr("__module__")));
  const auto name = py::cast<std::string>(py::str(type.attr("__qualname__")));
  return module == "builtins" ? name : module + "." + name;
}

std::uint64_t whole_number(py::handle value, const char* what, std::uint64_t lowest, std::uint64_t highest) {
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!number) {
    PyErr_Clear();
    refuse_type(what, "an int", value);
  }
  int overflow = 0;
  const long long signed_number = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  std::uint64_t result = 0;
  bool fits = overflow == 0 && signed_number >= 0;
  if (fits) {
    result = static_cast<std::uint64_t>(signed_number);
  } else if (overflow > 0) {
    result = PyLong_AsUnsignedLongLong(number.ptr());
    fits = PyErr_Occurred() == nullptr;
    PyErr_Clear();
  }
  if (!fits || result < lowest || result > highest) {
    throw Error(ErrorCode::out_of_range, std::string(what) + " is " + std::to_string(lowest) + " to " +
                                             std::to_string(highest) + ", not " + shown(number));
  }
  return result;
}

std::string text(py::handle value, const char* what, ErrorCode code) {
  if (!py::isinstance<py::str>(value)) refuse_type(what, "a str", value);
  Py_ssize_t bytes = 0;
  const char* const utf8 = PyUnicode_AsUTF8AndSize(value.ptr(), &bytes);
  if (utf8 == nullptr) {
    PyErr_Clear();
    throw Error(code, std::string(what) + " " + shown(value) + " cannot be written as UTF-8");
  }
  return {utf8, static_cast<std::size_t>(bytes)};
}

LaneName lane_name(py::handle value) {
  if (py::isinstance<py::str>(value)) return {text(value, "a lane's name", ErrorCode::invalid_name)};
  if (PyBool_Check(value.ptr()) || PyIndex_Check(value.ptr()) == 0)
    refuse_type("a lane's name", "a str or an int", value);
  const auto key = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!key) throw py::error_already_set();
  // Through text: a key may be larger than 64 bits, and is the same lane in every language.
  return {"key/" + py::cast<std::string>(py::str(key))};
}

Timeout timeout(py::handle value, const char* what) {
  if (value.is_none()) return forever;
  return std::chrono::duration<double>(seconds(value, what, "a number of seconds or None"));
}

Spin spin(py::handle value) {
  if (value.is_none()) return Spin::adaptive();
  return std::chrono::duration<double>(seconds(value, "spin", "a number of seconds or None"));
}

std::filesystem::path directory(py::handle value) {
  if (value.is_none()) return {};
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(value.ptr(), &encoded) == 0) throw py::error_already_set();
  const auto bytes = py::reinterpret_steal<py::bytes>(encoded);
  return {static_cast<std::string>(bytes)};
}

std::string group(py::handle value) {
  if (value.is_none()) return {};
  if (py::isinstance<py::str>(value)) return text(value, "group");
  if (PyBool_Check(value.ptr()) || PyIndex_Check(value.ptr()) == 0)
    refuse_type("group", "a str, an int or None", value);
  return std::to_string(whole_number(value, "group", 0, std::numeric_limits<std::uint32_t>::max() - 1));
}

bool truth(py::handle value, const char* what) {
  if (!PyBool_Check(value.ptr())) refuse_type(what, "True or False", value);
  return value.ptr() == Py_True;
}

Overflow overflow(py::handle value) {
  const std::string name = text(value, "overflow");
  if (const auto known = overflow_from_string(name)) return *known;
  throw Error(ErrorCode::invalid_argument,
              "overflow is \"block\", \"drop-oldest\", \"drop-newest\" or \"fail\", not \"" + name + "\"");
}

DType dtype(py::handle value) {
  const std::string name = text(value, "dtype");
  if (const auto known = dtype_from_string(name)) return *known;
  std::string message = "a lane knows no dtype \"" + name + "\"; it knows";
  for (const auto& each : detail::dtype_table) message.append(" ").append(each.name);
  throw Error(ErrorCode::invalid_argument, message);
}

Shape shape(py::handle value) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  // An array of NumPy's claims to be both a number and a sequence.
  if (PyIndex_Check(value.ptr()) != 0 && PySequence_Check(value.ptr()) == 0)
    return {whole_number(value, "an extent of a shape", 0, largest)};
  const auto extents = py::reinterpret_steal<py::object>(PySequence_Fast(value.ptr(), ""));
  if (!extents || py::isinstance<py::str>(value)) {
    PyErr_Clear();
    refuse_type("a shape", "an int or a sequence of ints", value);
  }
  std::vector<std::uint64_t> numbers;
  for (const py::handle extent : extents) numbers.push_back(whole_number(extent, "an extent of a shape", 0, largest));
  return Shape(std::span<const std::uint64_t>(numbers));
}

}  // namespace memlane::python
