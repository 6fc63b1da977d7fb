// The counting side of the throughput, in C++.
#include <memlane/memlane.hpp>

#include <cstdlib>
#include <iostream>

#include "../common/payload.hpp"

int main() {
  using namespace std::chrono_literals;
  try {
    memlane::Subscriber stream("bench/stream", {.depth = 1024});
    memlane::Publisher counts("bench/counts");
    stream.wait_for_publishers(1, 20s);
    std::uint32_t good = 0;
    for (auto& sample : stream.samples({.until_idle = true})) {
      if (bench::is(sample.user_header(), bench::the_end)) break;
      const bench::Answer ends = bench::answer_to(sample.bytes(), false);
      if (ends == bench::Answer{good + 1, ~(good + 1)}) ++good;
      if (sample.user_header().empty()) continue;
      const bench::Answer count{good, ~good};
      counts.send_copy(std::as_bytes(std::span(count)));
      good = 0;
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "peer: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
