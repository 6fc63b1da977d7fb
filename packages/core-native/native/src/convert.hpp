// Arguments from JavaScript. The SDK has checked them; what is wrong here throws a TypeError and is a bug there.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <memlane/memlane.hpp>

namespace memlane::addon {

[[nodiscard]] double to_double(const Napi::Value& value);
[[nodiscard]] bool to_flag(const Napi::Value& value);
/// A whole number from 0 to 2^53 - 1.
[[nodiscard]] std::uint64_t to_count(const Napi::Value& value);
[[nodiscard]] std::string to_text(const Napi::Value& value);
/// Milliseconds; Infinity is for ever.
[[nodiscard]] Timeout to_timeout(const Napi::Value& value);
[[nodiscard]] Shape to_shape(const Napi::Value& value);
[[nodiscard]] DType to_dtype(const Napi::Value& value);
/// The bytes of a Uint8Array, valid until JavaScript runs again.
[[nodiscard]] std::span<std::byte> to_bytes(const Napi::Value& value);

[[nodiscard]] Napi::Value from_shape(Napi::Env env, const Shape& shape);
/// Nanoseconds to milliseconds.
[[nodiscard]] Napi::Value from_nanoseconds(Napi::Env env, std::int64_t nanoseconds);
[[nodiscard]] Napi::Value from_count(Napi::Env env, std::uint64_t count);

/// The encoding and the user header of a send, kept together with the text that SendInfo points into.
class SendInfoArguments {
 public:
  /// Each may be undefined.
  SendInfoArguments(const Napi::Value& encoding, const Napi::Value& user_header);
  SendInfoArguments(const SendInfoArguments&) = delete;
  SendInfoArguments& operator=(const SendInfoArguments&) = delete;

  [[nodiscard]] const SendInfo& info() const noexcept { return info_; }

 private:
  std::string encoding_;
  SendInfo info_;
};

}  // namespace memlane::addon
