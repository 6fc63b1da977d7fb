// How long a peer's death goes unheard: from the SIGKILL of a publisher to the return of a take that waits for it.
//
//   bench-death --trials N --touched BYTES      what the dying process holds in memory
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memlane/memlane.hpp>

#include "../common/deaths.hpp"
#include "../common/options.hpp"
#include "../common/other_process.hpp"
#include "../common/result.hpp"

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
  return bench::time_until_heard(other, [&] {
    for ([[maybe_unused]] auto& sample : subscriber.samples({.until_idle = true})) {
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Options options(argc, argv);
    if (options.has("role")) be_killed(static_cast<std::uint64_t>(options.number("touched")));
    bench::Result result;
    bench::measure_deaths(options, result, time_of_one);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "death: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
