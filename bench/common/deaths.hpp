// How long deaths go unheard: killing one process after the other, each while somebody waits for its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

#include "options.hpp"
#include "other_process.hpp"
#include "result.hpp"
#include "timer.hpp"

namespace bench {

/// From the SIGKILL of the process to the return of `hear()`, which waits for its death; nanoseconds.
template <class Hear>
[[nodiscard]] std::int64_t time_until_heard(const OtherProcess& other, Hear&& hear) {
  using namespace std::chrono_literals;
  std::int64_t killed = 0;
  std::thread killer([&] {
    std::this_thread::sleep_for(2ms);  // somebody waits by now, and if not the figure is the smaller
    killed = now();
    other.kill();
  });
  hear();
  const std::int64_t heard = now();
  killer.join();
  return heard - killed;
}

/// `--trials` times the time of `one(touched)`, added to the result; `--touched` says how much memory each holds.
template <class One>
void measure_deaths(const Options& options, Result& result, One&& one) {
  const auto touched = static_cast<std::uint64_t>(options.number("touched"));
  Times times;
  repeat(0, static_cast<std::uint64_t>(options.number("trials")),
         [&](std::uint64_t /*round*/) { times.add(one(touched)); });
  result.add("touched", touched)
      .add("rounds", std::uint64_t{times.count()})
      .add("ns", times.quantile(0.5))
      .add("p99_ns", times.quantile(0.99));
}

}  // namespace bench
