// What joining costs: a subscriber opens on a lane where another process has some publishers, and is linked with all.
//
//   bench-join --trials N --links PUBLISHERS
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memlane/memlane.hpp>

#include "../common/options.hpp"
#include "../common/other_process.hpp"
#include "../common/result.hpp"
#include "../common/timer.hpp"

namespace {

using namespace std::chrono_literals;

constexpr const char* lane = "bench/join";

[[noreturn]] void be_joined(std::uint64_t links) {
  std::deque<memlane::Publisher> publishers;
  while (publishers.size() < links) publishers.emplace_back(lane);
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Options options(argc, argv);
    const auto links = static_cast<std::uint64_t>(options.number("links"));
    if (options.has("role")) be_joined(links);
    // One port that stays: with it the connection does, so that what is measured is links, and not processes that meet.
    memlane::Subscriber first(lane);
    const bench::OtherProcess other({"--role", "others", "--links", std::to_string(links)});
    if (!first.wait_for_publishers(links, 60s)) throw std::runtime_error("the other process does not come");
    bench::Times times;
    bench::repeat(0, static_cast<std::uint64_t>(options.number("trials")), [&](std::uint64_t /*round*/) {
      const std::int64_t before = bench::now();
      memlane::Subscriber subscriber(lane);
      times.add(bench::now() - before);
      if (subscriber.stats().peers != links) throw std::runtime_error("a link is missing");
    });
    bench::Result()
        .add("links", links)
        .add("rounds", std::uint64_t{times.count()})
        .add("ns", times.quantile(0.5))
        .add("p99_ns", times.quantile(0.99));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "join: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
