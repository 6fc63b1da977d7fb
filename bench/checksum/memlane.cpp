// What a checksum costs: a copy sent and taken with and without it, beside the sum alone. Both ends in one process: what is
// measured is memory that is read and written, not who waits for whom.
#include <memlane/memlane.hpp>

#include <cstdlib>
#include <iostream>

#include "../common/options.hpp"
#include "../common/payload.hpp"
#include "../common/result.hpp"
#include "../common/timer.hpp"

namespace {

constexpr std::uint64_t least_rounds = 10;

std::int64_t sum_alone(bench::Buffer& source, double seconds) {
  bench::Times times;
  std::uint32_t all = 0;
  bench::repeat(seconds, least_rounds, [&](std::uint64_t round) {
    bench::stamp(source.span(), static_cast<std::uint32_t>(round));
    const std::int64_t before = bench::now();
    all ^= memlane::detail::crc32c(source.span());
    times.add(bench::now() - before);
  });
  if (all == 0)
    std::cerr << "all sums together are nothing\n";  // which may be, and keeps the compiler from leaving them out
  return times.quantile(0.5);
}

std::int64_t send_and_take(bench::Buffer& source, double seconds, bool checksum) {
  memlane::Publisher publisher("bench/checksum", {.checksum = checksum});
  memlane::Subscriber subscriber("bench/checksum");
  publisher.reserve(source.span().size());
  bench::Times times;
  bench::repeat(seconds, least_rounds, [&](std::uint64_t number) {
    const auto round = static_cast<std::uint32_t>(number);
    bench::stamp(source.span(), round);
    const std::int64_t before = bench::now();
    publisher.send_copy(source.span());
    const auto sample = subscriber.take();
    times.add(bench::now() - before);
    const bench::Answer answer = bench::answer_to(sample.value().bytes(), number == 1);
    bench::check(std::as_bytes(std::span(answer)), round);
  });
  return times.quantile(0.5);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Options options(argc, argv);
    const double seconds = options.number("seconds");
    for (const std::uint64_t bytes : options.numbers("sizes")) {
      bench::Buffer source(bytes);
      bench::Result result;
      result.add("bytes", bytes).add("sum_ns", sum_alone(source, seconds));
      result.add("without_ns", send_and_take(source, seconds, false));
      result.add("with_ns", send_and_take(source, seconds, true));
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "checksum: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
