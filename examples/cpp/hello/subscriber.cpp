#include <iostream>
#include <memlane/memlane.hpp>
#include <string_view>

int main() {
  memlane::Subscriber greetings("examples/hello");
  for (const auto& sample : greetings.samples({.until_idle = true})) {
    std::cout << std::string_view(reinterpret_cast<const char*>(sample.data()), sample.size()) << std::endl;
  }
}
