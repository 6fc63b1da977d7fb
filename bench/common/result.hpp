// Results go to the standard output, one JSON object a line.
#pragma once

#include <cstdint>
#include <iostream>
#include <string_view>

namespace bench {

class Result {
 public:
  Result& add(std::string_view name, std::string_view text) { return put(name) << '"' << text << '"', *this; }
  Result& add(std::string_view name, double number) { return put(name) << number, *this; }
  Result& add(std::string_view name, std::uint64_t number) { return put(name) << number, *this; }
  Result& add(std::string_view name, std::int64_t number) { return put(name) << number, *this; }
  ~Result() { std::cout << '}' << std::endl; }
  Result() = default;
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;

 private:
  std::ostream& put(std::string_view name) {
    std::cout << (first_ ? "{\"" : ",\"") << name << "\":";
    first_ = false;
    return std::cout;
  }
  bool first_ = true;
};

}  // namespace bench
