// Whole ports in one process, over one mapping of each half and segment: a publisher, a subscriber that blocks it and one
// that lets it drop the oldest, and one that comes and goes. ThreadSanitizer sees all they share. Says "whole" at the end.
//
// With WEAKEN_EVERYTHING every release in the core is relaxed, and ThreadSanitizer must find that.
#include "one_mapping/one_mapping.hpp"

// What the core's headers include of others comes first, for the mutant.
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <ranges>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#if defined(WEAKEN_EVERYTHING)
#define memory_order_release memory_order_relaxed  // NOLINT(cppcoreguidelines-macro-usage)
#endif
#include "memlane/memlane.hpp"
#undef memory_order_release

#include "support/payload.hpp"

namespace {

using namespace memlane;
using namespace std::chrono_literals;

constexpr std::uint64_t samples = 3000;
constexpr std::size_t size = 200;

[[noreturn]] void fail(const std::string& what) {
  std::cout << what << std::endl;
  std::exit(1);
}

/// Until the publisher has left. Returns how many came.
std::uint64_t take_all(Subscriber& subscriber) {
  std::uint64_t taken = 0;
  std::uint64_t last = 0;
  for (const Sample& sample : subscriber.samples({.until_idle = true})) {
    if (sample.sequence() <= last) fail("out of order");
    last = sample.sequence();
    if (!test::is_payload(sample.bytes(), last)) fail("the payload is another's");
    ++taken;
  }
  return taken;
}

}  // namespace

int main() {
  Subscriber patient("lane", {.depth = 4});
  Subscriber hasty("lane", {.depth = 1, .overflow = Overflow::drop_oldest});
  auto publisher = std::make_optional<Publisher>("lane");
  std::uint64_t all = 0;
  std::uint64_t some = 0;
  std::thread first([&] { all = take_all(patient); });
  std::thread second([&] { some = take_all(hasty); });
  std::thread guests([] {
    for (int i = 0; i < 50; ++i) {
      Subscriber guest("lane", {.depth = 2});
      static_cast<void>(guest.take(1ms));
    }
  });
  for (std::uint64_t i = 1; i <= samples; ++i) publisher->send_copy(test::payload(size, i));
  if (!publisher->flush(30s)) fail("something never came back");
  const std::uint64_t dropped = publisher->stats().dropped;
  guests.join();
  publisher.reset();
  first.join();
  second.join();
  if (all != samples) fail("only " + std::to_string(all) + " came");
  if (some + dropped != samples) fail(std::to_string(some) + " taken, " + std::to_string(dropped) + " dropped");
  // Two halves for each of two links, and a segment for each.
  if (test::OneMapping::instance().shared() < 6) fail("the mappings were not shared");
  std::cout << "whole" << std::endl;
  return 0;
}
