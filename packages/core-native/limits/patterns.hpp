// The patterns that lanes can carry, as tests/programs/peer.cpp plays them, and tests that are about any of them. Those that
// are about one alone stand in a folder of its name.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <ostream>
#include <string>

namespace memlane::limits {

/// Ports are opened by a command that says their kind. What they are told and asked afterwards (`send`, `take`, `drain`,
/// `flush`, `stats`, `wait-peers`, `close`) is the same for every kind that can do it.
struct Pattern {
  const char* name;
  // The commands that open a port, which are also how the names of its announcements begin.
  const char* sender;
  const char* receiver;
  /// Of so many receivers, how many a sample goes to: what `send` answers.
  std::size_t (*copies)(std::size_t receivers);

  friend void PrintTo(const Pattern& pattern, std::ostream* out) { *out << pattern.name; }  // for GoogleTest
};

/// Another pattern is another entry.
inline constexpr std::array patterns{
    Pattern{"publish_subscribe", "pub", "sub", [](std::size_t receivers) { return receivers; }},
};

/// What every test of any pattern is: the same, played with each.
class OfAnyPattern : public testing::TestWithParam<Pattern> {
 protected:
  /// The commands that open a port of that name: a sending one, a receiving one, one of any kind.
  [[nodiscard]] static std::string sender(const std::string& port, const std::string& lane) {
    return opening(GetParam().sender, port, lane);
  }
  [[nodiscard]] static std::string receiver(const std::string& port, const std::string& lane) {
    return opening(GetParam().receiver, port, lane);
  }
  [[nodiscard]] static std::array<std::string, 2> each_kind(const std::string& port, const std::string& lane) {
    return {receiver(port, lane), sender(port, lane)};
  }

  [[nodiscard]] static std::size_t copies(std::size_t receivers) { return GetParam().copies(receivers); }

 private:
  [[nodiscard]] static std::string opening(const char* kind, const std::string& port, const std::string& lane) {
    return std::string(kind) + " " + port + " " + lane;
  }
};

/// For INSTANTIATE_TEST_SUITE_P(Each, SUITE, ...), where `each_pattern()` and `name_of` end the names of tests.
[[nodiscard]] inline auto each_pattern() {
  return testing::ValuesIn(patterns);
}
[[nodiscard]] inline std::string name_of(const testing::TestParamInfo<Pattern>& info) {
  return info.param.name;
}

}  // namespace memlane::limits
