// Command-line options of the form `--name value`.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

class Options {
 public:
  Options(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
      const std::string_view name = argv[i];
      if (!name.starts_with("--")) throw std::invalid_argument("not an option: " + std::string(name));
      values_[std::string(name.substr(2))] = argv[i + 1];
    }
    if (argc % 2 == 0) throw std::invalid_argument("an option without a value: " + std::string(argv[argc - 1]));
  }

  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }

  [[nodiscard]] const std::string& text(const std::string& name) const {
    const auto it = values_.find(name);
    if (it == values_.end()) throw std::invalid_argument("missing: --" + name);
    return it->second;
  }

  [[nodiscard]] double number(const std::string& name) const { return std::stod(text(name)); }
  [[nodiscard]] bool is(const std::string& name, std::string_view value) const { return text(name) == value; }

  /// Numbers separated by commas.
  [[nodiscard]] std::vector<std::uint64_t> numbers(const std::string& name) const {
    std::vector<std::uint64_t> list;
    const std::string& all = text(name);
    for (std::size_t begin = 0; begin < all.size();) {
      std::size_t used = 0;
      list.push_back(std::stoull(all.substr(begin), &used));
      begin += used + 1;
    }
    return list;
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace bench
