// Taking many times and telling what is typical of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// Nanoseconds on the monotonic clock; reading it costs about 25 of them.
[[nodiscard]] inline std::int64_t now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class Times {
 public:
  void add(std::int64_t nanoseconds) { all_.push_back(nanoseconds); }
  [[nodiscard]] std::size_t count() const noexcept { return all_.size(); }

  /// The time that `share` of all times do not pass, in nanoseconds: 0.5 is the median.
  [[nodiscard]] std::int64_t quantile(double share) {
    const auto last = static_cast<double>(all_.size() - 1);
    const auto place = all_.begin() + static_cast<std::ptrdiff_t>(share * last);
    std::ranges::nth_element(all_, place);
    return *place;
  }

 private:
  std::vector<std::int64_t> all_;
};

/// Calls `round(number)` again and again, numbers from 1: at least `least` times, and then until `seconds` are over.
template <class Round>
std::uint64_t repeat(double seconds, std::uint64_t least, Round&& round) {
  const std::int64_t end = now() + static_cast<std::int64_t>(seconds * 1e9);
  std::uint64_t rounds = 0;
  while (rounds < least || now() < end) round(++rounds);
  return rounds;
}

}  // namespace bench
