// The name of a lane, checked once where it enters.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include "memlane/error.hpp"
#include "memlane/types/text.hpp"

namespace memlane {

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
    if (std::ranges::any_of(text_, detail::is_control)) refuse("holds a control character");
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
    throw Error(ErrorCode::invalid_name, "the lane name \"" + detail::printable(text_, 80) + "\" " + why);
  }

  std::string text_;
};

}  // namespace memlane
