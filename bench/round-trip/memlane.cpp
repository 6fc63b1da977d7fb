// One payload sent, one answer of eight bytes back: the sending side. It opens the lanes, waits for the peer (a program of
// any language), and measures every size, sent by loan and as a copy.
#include <memlane/memlane.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

#include "../common/options.hpp"
#include "../common/payload.hpp"
#include "../common/result.hpp"
#include "../common/timer.hpp"

namespace {

using namespace std::chrono_literals;

class RoundTrip {
 public:
  explicit RoundTrip(memlane::Spin spin) : ping_("bench/ping", {.spin = spin}), pong_("bench/pong", {.spin = spin}) {
    if (!ping_.wait_for_subscribers(1, 20s) || !pong_.wait_for_publishers(1, 20s))
      throw std::runtime_error("no peer came");
  }

  /// Fills a loan's ends only, as whoever produces data in place would have filled all of it.
  void send_loan(std::uint64_t bytes) {
    auto loan = ping_.loan(bytes);
    bench::stamp(loan.bytes(), round_);
    ping_.send(std::move(loan));
  }

  void send_copy(std::span<std::byte> source) {
    bench::stamp(source, round_);
    ping_.send_copy(source);
  }

  /// The same, for the peer to look at the whole of it. Not timed.
  void send_whole(std::span<std::byte> source, bool by_loan) {
    bench::stamp(source, round_);
    if (by_loan) {
      auto loan = ping_.loan(source.size());
      std::memcpy(loan.data(), source.data(), source.size());
      ping_.send(std::move(loan), {.user_header = bench::look_at_all});
    } else {
      ping_.send_copy(source, {.user_header = bench::look_at_all});
    }
  }

  void await_answer() {
    const auto answer = pong_.take(60s);
    if (!answer) throw std::runtime_error("no answer to round " + std::to_string(round_));
    bench::check(answer->bytes(), round_);
  }

  void end() {
    ping_.send_copy({}, {.user_header = bench::the_end});
    if (!ping_.flush(20s)) throw std::runtime_error("the peer did not take the end");
  }

  void measure(std::uint64_t bytes, bool by_loan, double seconds, std::uint64_t least) {
    bench::Buffer source(bytes);
    const auto send = [&] { by_loan ? send_loan(bytes) : send_copy(source.span()); };
    const auto whole_round = [&] {
      ++round_;
      send_whole(source.span(), by_loan);
      await_answer();
    };
    const auto round = [&] {
      ++round_;
      send();
      await_answer();
    };

    whole_round();
    bench::repeat(seconds / 10, 2, [&](std::uint64_t) { round(); });  // warm
    bench::Times rounds;
    std::int64_t before = bench::now();
    bench::repeat(seconds, least, [&](std::uint64_t) {
      round();
      const std::int64_t after = bench::now();
      rounds.add(after - before);
      before = after;
    });
    // Once more for the sending alone, so that the extra look at the clock is in neither figure of the other.
    bench::Times sends;
    bench::repeat(seconds / 2, least, [&](std::uint64_t) {
      ++round_;
      const std::int64_t begin = bench::now();
      send();
      sends.add(bench::now() - begin);
      await_answer();
    });
    whole_round();

    bench::Result result;
    result.add("bytes", bytes).add("how", by_loan ? "loan" : "copy").add("rounds", std::uint64_t{rounds.count()});
    result.add("ns", rounds.quantile(0.5)).add("p99_ns", rounds.quantile(0.99)).add("send_ns", sends.quantile(0.5));
  }

 private:
  memlane::Publisher ping_;
  memlane::Subscriber pong_;
  std::uint32_t round_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Options options(argc, argv);
    // Either it never sleeps, or it never spins: what adapts would measure a mixture.
    RoundTrip trip(options.is("wait", "spin") ? memlane::Spin(1h) : memlane::Spin(0s));
    const auto least = static_cast<std::uint64_t>(options.number("least"));
    for (const std::uint64_t bytes : options.numbers("sizes")) {
      trip.measure(bytes, true, options.number("seconds"), least);
      trip.measure(bytes, false, options.number("seconds"), least);
    }
    trip.end();
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "round-trip: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
