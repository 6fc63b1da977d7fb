// Text that goes from one process, or one language, to another: UTF-8, without control characters.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace memlane::detail {

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

[[nodiscard]] constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

/// Whether every language can show it: Python decodes strictly, and a terminal obeys control characters.
[[nodiscard]] inline bool is_text(std::string_view text) noexcept {
  return std::ranges::none_of(text, is_control) && first_invalid_utf8(text) == std::string_view::npos;
}

/// At most `limit` bytes of it, with a `?` for each byte that is no text, cut between two characters.
[[nodiscard]] inline std::string printable(std::string_view text, std::size_t limit = std::string_view::npos) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t valid = std::min(first_invalid_utf8(text), text.size());
    for (const char c : text.substr(0, valid)) shown += is_control(c) ? '?' : c;
    text.remove_prefix(valid);
    if (text.empty()) break;
    shown += '?';
    text.remove_prefix(1);
  }
  if (shown.size() > limit) {
    shown.resize(limit);
    while (!shown.empty() && first_invalid_utf8(shown) != std::string_view::npos) shown.pop_back();
  }
  return shown;
}

}  // namespace memlane::detail
