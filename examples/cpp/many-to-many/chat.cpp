// `chat NAME COUNT`: one of COUNT people on one lane. Each says three things, and hears what everybody says.
#include <iostream>
#include <memlane/memlane.hpp>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: chat NAME COUNT\n";
    return 2;
  }
  const std::size_t people = std::stoul(argv[2]);

  memlane::Subscriber ear("examples/chat");
  memlane::Publisher mouth("examples/chat", {.label = argv[1]});
  mouth.wait_for_subscribers(people);
  ear.wait_for_publishers(people);

  for (const std::string_view text : {"Good morning.", "How are you?", "Goodbye."}) {
    mouth.send_copy(std::as_bytes(std::span(text)));
  }
  for (std::size_t heard = 0; heard < people * 3; ++heard) {
    const auto sample = ear.take(memlane::forever);
    if (!sample) break;  // somebody stopped the port
    const std::string_view text(reinterpret_cast<const char*>(sample->data()), sample->size());
    std::cout << sample->sender().label << ": " << text << std::endl;
  }
}
