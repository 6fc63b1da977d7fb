// As many messages as will go, one after the other: the sending side. The peer looks at each, and says at the end how many
// came as they were sent.
#include <memlane/memlane.hpp>

#include <cstdlib>
#include <iostream>

#include "../common/options.hpp"
#include "../common/payload.hpp"
#include "../common/result.hpp"
#include "../common/timer.hpp"

namespace {

using namespace std::chrono_literals;

void measure(memlane::Publisher& stream, memlane::Subscriber& counts, std::uint64_t bytes, bool by_loan,
             double seconds) {
  bench::Buffer source(bytes);
  std::uint32_t number = 0;
  const auto send_one = [&] {
    ++number;
    if (by_loan) {
      auto loan = stream.loan(bytes);
      bench::stamp(loan.bytes(), number);
      stream.send(std::move(loan));
    } else {
      bench::stamp(source.span(), number);
      stream.send_copy(source.span());
    }
  };
  const auto settle = [&] {  // a last message that asks how many came
    bench::stamp(source.span(), ++number);
    stream.send_copy(source.span(), {.user_header = bench::look_at_all});
    const auto count = counts.take(60s);
    if (!count) throw std::runtime_error("no count came");
    bench::check(count->bytes(), number);
  };

  stream.reserve(bytes, 2048);  // more than can be under way: the peer's queue, and what it has yet to give back
  bench::repeat(seconds / 10, 100, [&](std::uint64_t) { send_one(); });  // warm
  settle();

  number = 0;
  const std::int64_t begin = bench::now();
  // The clock is read once for many messages, since a message may cost no more than that.
  const std::int64_t end = begin + static_cast<std::int64_t>(seconds * 1e9);
  while (bench::now() < end) {
    for (int i = 0; i < 64; ++i) send_one();
  }
  settle();
  const double took = static_cast<double>(bench::now() - begin) / 1e9;
  bench::Result result;
  result.add("bytes", bytes).add("how", by_loan ? "loan" : "copy").add("messages", std::uint64_t{number});
  result.add("per_second", number / took);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Options options(argc, argv);
    memlane::Publisher stream("bench/stream");
    memlane::Subscriber counts("bench/counts");
    if (!stream.wait_for_subscribers(1, 20s) || !counts.wait_for_publishers(1, 20s))
      throw std::runtime_error("no peer came");
    for (const std::uint64_t bytes : options.numbers("sizes")) {
      measure(stream, counts, bytes, true, options.number("seconds"));
      measure(stream, counts, bytes, false, options.number("seconds"));
    }
    stream.send_copy({}, {.user_header = bench::the_end});
    if (!stream.flush(20s)) throw std::runtime_error("the peer did not take the end");
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "throughput: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
