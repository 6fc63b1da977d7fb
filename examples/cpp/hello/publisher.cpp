#include <memlane/memlane.hpp>
#include <string_view>

int main() {
  memlane::Publisher greetings("examples/hello");
  greetings.wait_for_subscribers(1);
  for (const std::string_view text : {"Hello", "from", "C++"}) {
    greetings.send_copy(std::as_bytes(std::span(text)));
  }
}
