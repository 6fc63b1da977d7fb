// A camera: draws each frame straight into memory of the lane. Its picture is a white bar that moves to the right.
#include <algorithm>
#include <cstdint>
#include <memlane/memlane.hpp>

int main() {
  constexpr std::size_t height = 1080, width = 1920, bar = 192, step = 48;
  memlane::Publisher frames("examples/camera", {.label = "camera"});
  frames.reserve(height * width * 3, 4);  // memory is ready before the first frame
  frames.wait_for_subscribers(1);
  for (std::size_t number = 0; number < 30; ++number) {
    auto frame = frames.loan<std::uint8_t>({height, width, 3});
    std::ranges::fill(frame.span(), std::uint8_t{0});
    for (std::size_t y = 0; y < height; ++y) {
      std::ranges::fill(frame.span().subspan((y * width + number * step) * 3, bar * 3), std::uint8_t{255});
    }
    frames.send(std::move(frame));
  }
}
