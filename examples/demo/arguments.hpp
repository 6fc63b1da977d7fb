// The command lines of the demo's programs: `--name value` pairs, then files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "decoder.hpp"

namespace demo {

class Arguments {
 public:
  Arguments(int argc, char** argv) {
    int i = 1;
    for (; i + 1 < argc && std::string(argv[i]).starts_with("--"); i += 2) values_[argv[i] + 2] = argv[i + 1];
    for (; i < argc; ++i) files_.emplace_back(argv[i]);
  }

  [[nodiscard]] const std::string& text(const std::string& name) const {
    const auto it = values_.find(name);
    if (it == values_.end()) throw std::invalid_argument("missing: --" + name);
    return it->second;
  }
  [[nodiscard]] std::size_t number(const std::string& name) const { return std::stoull(text(name)); }
  [[nodiscard]] std::string text_or(const std::string& name, const std::string& other) const {
    return values_.contains(name) ? text(name) : other;
  }
  [[nodiscard]] std::vector<FrameSize> sizes() const {
    std::vector<FrameSize> list;
    std::istringstream words(text("sizes"));
    for (std::string word; std::getline(words, word, ',');) list.push_back(parse_frame_size(word));
    return list;
  }
  [[nodiscard]] const std::vector<std::filesystem::path>& files() const noexcept { return files_; }

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::filesystem::path> files_;
};

}  // namespace demo
