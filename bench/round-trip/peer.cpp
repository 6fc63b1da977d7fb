// The answering side of the round trip, in C++.
#include <memlane/memlane.hpp>

#include <cstdlib>
#include <iostream>

#include "../common/options.hpp"
#include "../common/payload.hpp"

int main(int argc, char** argv) {
  using namespace std::chrono_literals;
  try {
    const bench::Options options(argc, argv);
    const memlane::Spin spin = options.is("wait", "spin") ? memlane::Spin(1h) : memlane::Spin(0s);
    memlane::Subscriber ping("bench/ping", {.spin = spin});
    memlane::Publisher pong("bench/pong", {.spin = spin});
    ping.wait_for_publishers(1, 20s);
    for (auto& sample : ping.samples({.until_idle = true})) {
      if (bench::is(sample.user_header(), bench::the_end)) break;
      const bench::Answer answer =
          bench::answer_to(sample.bytes(), bench::is(sample.user_header(), bench::look_at_all));
      sample.release();
      pong.send_copy(std::as_bytes(std::span(answer)));
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "peer: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
