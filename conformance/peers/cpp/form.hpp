// The lines of the control channel: fields as `application/x-www-form-urlencoded` writes them (see ../PROTOCOL.md). That
// form carries any byte in a name or value, needs no parser worth the name, and is in every language's library but ours.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conformance {

class Form {
 public:
  Form() = default;

  /// From one line, without its newline.
  explicit Form(std::string_view line) {
    while (!line.empty()) {
      const std::string_view field = line.substr(0, line.find('&'));
      line.remove_prefix(field.size() == line.size() ? field.size() : field.size() + 1);
      const std::size_t equals = field.find('=');
      fields_.emplace_back(decode(field.substr(0, equals)),
                           equals == std::string_view::npos ? std::string() : decode(field.substr(equals + 1)));
    }
  }

  [[nodiscard]] std::string line() const {
    std::string line;
    for (const auto& [name, value] : fields_) {
      if (!line.empty()) line += '&';
      line += encode(name) + '=' + encode(value);
    }
    return line;
  }

  Form& add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  Form& add(std::string name, std::string_view value) { return add(std::move(name), std::string(value)); }
  Form& add(std::string name, const char* value) { return add(std::move(name), std::string(value)); }
  Form& add(std::string name, bool value) { return add(std::move(name), value ? "true" : "false"); }
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Form& add(std::string name, Number value) {
    return add(std::move(name), std::to_string(value));
  }

  [[nodiscard]] std::optional<std::string> find(std::string_view name) const {
    for (const auto& [each, value] : fields_) {
      if (each == name) return value;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string text(std::string_view name) const {
    if (auto value = find(name)) return *std::move(value);
    throw std::invalid_argument("the step lacks `" + std::string(name) + "`");
  }
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise) const {
    return find(name).value_or(std::string(otherwise));
  }

  template <class Number>
  [[nodiscard]] Number number(std::string_view name) const {
    return to_number<Number>(text(name));
  }
  template <class Number>
  [[nodiscard]] Number number(std::string_view name, Number otherwise) const {
    const auto value = find(name);
    return value ? to_number<Number>(*value) : otherwise;
  }
  /// All values of a field that may stand several times.
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [each, value] : fields_) {
      if (each == name) values.push_back(value);
    }
    return values;
  }
  template <class Number>
  [[nodiscard]] std::vector<Number> numbers(std::string_view name) const {
    std::vector<Number> all_numbers;
    for (const std::string& value : all(name)) all_numbers.push_back(to_number<Number>(value));
    return all_numbers;
  }

 private:
  template <class Number>
  static Number to_number(const std::string& text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) throw std::invalid_argument("no number: " + text);
    return number;
  }

  static std::string decode(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      unsigned byte = 0;
      if (text[i] == '%' && i + 2 < text.size() &&
          std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
        plain += static_cast<char>(byte);
        i += 2;
      } else {
        plain += text[i] == '+' ? ' ' : text[i];
      }
    }
    return plain;
  }

  static std::string encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string line;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
          c == '_' || c == '*') {
        line += c;
      } else {
        line += '%';
        line += digits[byte >> 4U];
        line += digits[byte & 15U];
      }
    }
    return line;
  }

  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace conformance
