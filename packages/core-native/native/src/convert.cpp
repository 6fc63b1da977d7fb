#include "convert.hpp"

#include <array>
#include <chrono>
#include <cmath>

namespace memlane::addon {

namespace {

[[noreturn]] void expected(const Napi::Value& value, const char* what) {
  throw Napi::TypeError::New(value.Env(), std::string("expected ") + what);
}

}  // namespace

double to_double(const Napi::Value& value) {
  double number = 0;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) expected(value, "a number");
  return number;
}

bool to_flag(const Napi::Value& value) {
  if (!value.IsBoolean()) expected(value, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

std::uint64_t to_count(const Napi::Value& value) {
  constexpr double largest = 9007199254740991;  // the largest whole number that a JavaScript number surely holds
  const double number = to_double(value);
  if (!(number >= 0 && number <= largest) || number != std::floor(number)) expected(value, "a count");
  return static_cast<std::uint64_t>(number);
}

std::string to_text(const Napi::Value& value) {
  if (!value.IsString()) expected(value, "a string");
  return value.As<Napi::String>().Utf8Value();
}

Timeout to_timeout(const Napi::Value& value) {
  const double milliseconds = to_double(value);
  if (std::isnan(milliseconds)) expected(value, "a time");
  return std::isinf(milliseconds) && milliseconds > 0
             ? forever
             : Timeout(std::chrono::duration<double, std::milli>(milliseconds));
}

Shape to_shape(const Napi::Value& value) {
  if (!value.IsArray()) expected(value, "a shape");
  const auto array = value.As<Napi::Array>();
  const std::uint32_t dimensions = array.Length();
  std::array<std::uint64_t, Shape::max_dimensions> extents{};
  // One more than there may be is left to the core to refuse, in its own words.
  if (dimensions > extents.size()) {
    throw Error(ErrorCode::out_of_range,
                "a shape has at most 8 dimensions, this one has " + std::to_string(dimensions));
  }
  for (std::uint32_t i = 0; i < dimensions; ++i) extents[i] = to_count(array.Get(i));
  return Shape(std::span<const std::uint64_t>(extents.data(), dimensions));
}

DType to_dtype(const Napi::Value& value) {
  const std::uint64_t number = to_count(value);
  if (number > 255 || !is_known(static_cast<DType>(number))) expected(value, "a dtype");
  return static_cast<DType>(number);
}

std::span<std::byte> to_bytes(const Napi::Value& value) {
  napi_typedarray_type type{};
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    expected(value, "a Uint8Array");
  }
  return {static_cast<std::byte*>(data), length};
}

Napi::Value from_shape(Napi::Env env, const Shape& shape) {
  auto array = Napi::Array::New(env, shape.ndim());
  for (std::size_t i = 0; i < shape.ndim(); ++i) array.Set(static_cast<std::uint32_t>(i), from_count(env, shape[i]));
  return array;
}

Napi::Value from_nanoseconds(Napi::Env env, std::int64_t nanoseconds) {
  return Napi::Number::New(env, static_cast<double>(nanoseconds) / 1e6);
}

Napi::Value from_count(Napi::Env env, std::uint64_t count) {
  return Napi::Number::New(env, static_cast<double>(count));
}

SendInfoArguments::SendInfoArguments(const Napi::Value& encoding, const Napi::Value& user_header) {
  if (!encoding.IsUndefined()) {
    encoding_ = to_text(encoding);
    info_.encoding = encoding_;
  }
  if (!user_header.IsUndefined()) info_.user_header = to_bytes(user_header);
}

}  // namespace memlane::addon
