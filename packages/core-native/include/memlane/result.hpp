// Result<T>: what the `try_` forms return instead of throwing.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "memlane/error.hpp"

namespace memlane {

/// Either a value or the Error that a throwing call would have thrown.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws the error if there is none.
  [[nodiscard]] T& value() & {
    if (auto* error = std::get_if<1>(&content_)) throw *error;
    return std::get<0>(content_);
  }
  [[nodiscard]] T&& value() && { return std::move(value()); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] T* operator->() { return &value(); }
  /// The error; only when there is no value.
  [[nodiscard]] const Error& error() const { return std::get<1>(content_); }

 private:
  std::variant<T, Error> content_;
};

namespace detail {

/// Runs a throwing call and catches what it throws: the two styles share one path.
template <class Call>
auto as_result(Call&& call) -> Result<decltype(call())> {
  try {
    return call();
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace detail
}  // namespace memlane
