// The name of a lane, checked once where it enters.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include "memlane/error.hpp"

namespace memlane {

namespace detail {

/// Where the first byte that is not well-formed UTF-8 stands, or npos. After the table of the Unicode standard (3-7).
inline std::size_t first_invalid_utf8(std::string_view text) noexcept {
  std::size_t i = 0;
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  const auto continues = [&](std::size_t at, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(at) >= low && byte(at) <= high;
  };
  while (i < text.size()) {
    const unsigned lead = byte(i);
    if (lead < 0x80) {
      i += 1;
    } else if (lead >= 0xC2 && lead <= 0xDF && continues(i + 1)) {
      i += 2;
    } else if (lead >= 0xE0 && lead <= 0xEF &&
               continues(i + 1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && continues(i + 2)) {
      i += 3;
    } else if (lead >= 0xF0 && lead <= 0xF4 &&
               continues(i + 1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && continues(i + 2) &&
               continues(i + 3)) {
      i += 4;
    } else {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace detail

/// UTF-8, 1 to 200 bytes, parts separated by `/`, no part empty or `.` or `..`, no control characters.
/// An integer key N is the lane `key/N`. Throws Error(invalid_name).
class LaneName {
 public:
  static constexpr std::size_t max_bytes = 200;

  LaneName(std::string_view name) : text_(name) { check(); }                    // NOLINT(google-explicit-constructor)
  LaneName(const std::string& name) : text_(name) { check(); }                  // NOLINT(google-explicit-constructor)
  LaneName(const char* name) : text_(name == nullptr ? "" : name) { check(); }  // NOLINT(google-explicit-constructor)

  template <std::integral Key>
    requires(!std::same_as<Key, bool> && !std::same_as<Key, char>)
  LaneName(Key key) : text_("key/" + std::to_string(key)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  void check() const {
    if (text_.empty()) refuse("is empty: give 1 to 200 bytes, e.g. \"camera/front\"");
    if (text_.size() > max_bytes) refuse("has " + std::to_string(text_.size()) + " bytes: 200 are the most");
    if (text_.find('\0') != std::string::npos) refuse("holds a NUL byte");
    for (const char c : text_) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) refuse("holds a control character");
    }
    if (detail::first_invalid_utf8(text_) != std::string_view::npos) refuse("is not valid UTF-8");
    for (std::size_t start = 0; start <= text_.size();) {
      const std::size_t slash = std::min(text_.find('/', start), text_.size());
      const std::string_view part = std::string_view(text_).substr(start, slash - start);
      if (part.empty()) refuse("has an empty part: a `/` stands between two parts, not at an end");
      if (part == "." || part == "..") refuse("has a part `" + std::string(part) + "`");
      start = slash + 1;
    }
  }

  [[noreturn]] void refuse(const std::string& why) const {
    std::string shown;
    for (const char c : text_.substr(0, 80)) shown += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    throw Error(ErrorCode::invalid_name, "the lane name \"" + shown + "\" " + why);
  }

  std::string text_;
};

}  // namespace memlane
