// How long a peer's death goes unheard: from the SIGKILL of a publisher to the return of a take that waits for it.
//
//   bench-death --trials N --touched BYTES      what the dying process holds in memory
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memlane/memlane.hpp>
#include <thread>

#include "../common/options.hpp"
#include "../common/other_process.hpp"
#include "../common/result.hpp"
#include "../common/timer.hpp"

namespace {

using namespace std::chrono_literals;

constexpr const char* lane = "bench/death";

[[noreturn]] void be_killed(std::uint64_t touched) {
  memlane::Publisher publisher(lane);
  auto held = publisher.loan(touched);
  std::memset(held.data(), 1, held.size());
  publisher.wait_for_subscribers(1, 60s);
  publisher.send_copy(std::span<const std::byte>{});  // all is there
  for (;;) ::pause();
}

std::int64_t time_of_one(std::uint64_t touched) {
  memlane::Subscriber subscriber(lane);
  const bench::OtherProcess other({"--role", "victim", "--touched", std::to_string(touched)});
  if (!subscriber.take(60s)) throw std::runtime_error("the other process does not come");
  std::int64_t killed = 0;
  std::thread killer([&] {
    std::this_thread::sleep_for(2ms);  // the take waits by now, and if it does not the figure is the smaller
    killed = bench::now();
    other.kill();
  });
  for ([[maybe_unused]] auto& sample : subscriber.samples({.until_idle = true})) {
  }
  const std::int64_t heard = bench::now();
  killer.join();
  return heard - killed;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Options options(argc, argv);
    const auto touched = static_cast<std::uint64_t>(options.number("touched"));
    if (options.has("role")) be_killed(touched);
    bench::Times times;
    bench::repeat(0, static_cast<std::uint64_t>(options.number("trials")),
                  [&](std::uint64_t /*round*/) { times.add(time_of_one(touched)); });
    bench::Result()
        .add("touched", touched)
        .add("rounds", std::uint64_t{times.count()})
        .add("ns", times.quantile(0.5))
        .add("p99_ns", times.quantile(0.99));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "death: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
