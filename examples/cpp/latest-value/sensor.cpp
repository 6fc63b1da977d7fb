// A sensor: a new reading every few milliseconds, of which only the last one matters.
#include <chrono>
#include <memlane/memlane.hpp>
#include <thread>

int main() {
  using namespace std::chrono_literals;
  memlane::Publisher readings("examples/temperature", {.history = 1});  // who joins late gets the last one at once
  readings.wait_for_subscribers(1);
  for (int tenths = 200; tenths <= 300; ++tenths) {
    auto reading = readings.loan<double>({});  // a scalar
    reading[0] = tenths / 10.0;
    readings.send(std::move(reading));
    std::this_thread::sleep_for(5ms);
  }
}
