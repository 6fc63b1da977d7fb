// Looks at each frame where it lies: no copy is made, however large it is.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memlane/memlane.hpp>

int main() {
  memlane::Subscriber frames("examples/camera", {.depth = 4});
  for (const auto& sample : frames.samples({.until_idle = true})) {
    const auto image = sample.as_array<std::uint8_t>();
    const auto row = std::span(image.data(), image.shape()[1] * 3);  // the topmost
    const auto bar = (std::ranges::find(row, 255) - row.begin()) / 3;
    std::cout << "frame " << sample.sequence() << ": " << image.shape()[1] << " x " << image.shape()[0] << ", bar at "
              << bar << std::endl;
  }
}
