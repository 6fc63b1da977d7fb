// A display that is slower than the sensor: it never sees an old reading, and never slows the sensor down.
#include <chrono>
#include <cstdio>
#include <memlane/memlane.hpp>
#include <thread>

int main() {
  using namespace std::chrono_literals;
  memlane::Subscriber readings("examples/temperature", {.depth = 1, .overflow = memlane::Overflow::drop_oldest});
  for (const auto& sample : readings.samples({.until_idle = true})) {
    std::printf("%.1f degrees\n", sample.as<double>());
    std::fflush(stdout);
    std::this_thread::sleep_for(50ms);
  }
}
