// A lane on which an honest publisher and an honest subscriber meet, and a peer that lies. It can spoil its own link, and gets
// nothing else: no crash, no wait without an end, no look outside a mapping, no descriptor kept.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

#include "support/eventually.hpp"
#include "support/expect_error.hpp"
#include "support/payload.hpp"
#include "support/raw_peer.hpp"

namespace memlane::test {

class Hostile : public ::testing::Test {
 protected:
  /// Whatever happened: an honest publisher and the subscriber still understand each other.
  void TearDown() override {
    ASSERT_TRUE(eventually([&] { return publisher.stats().peers == 1; })) << "the liar's link is still there";
    ASSERT_EQ(publisher.send_copy(payload(500, 9)), 1U);
    std::optional<Sample> sample;
    try {
      sample = subscriber.take(patience);
    } catch (const Error& error) {
      FAIL() << "a complaint that no test expected: " << error.what();
    }
    ASSERT_TRUE(sample);
    EXPECT_TRUE(is_payload(sample->bytes(), 9));
  }

  [[nodiscard]] std::uint64_t subscriber_number() const {
    return RawPeer().ports("lane", detail::PortKind::subscriber).at(0);
  }
  [[nodiscard]] std::uint64_t publisher_number() const {
    return RawPeer().ports("lane", detail::PortKind::publisher).at(0);
  }

  /// The next take complains about the raw peer's link.
  void complains(ErrorCode code, const std::string& words) {
    EXPECT_TRUE(throws_error(code, words, [&] { static_cast<void>(subscriber.take(patience)); }));
  }

  Publisher publisher{"lane"};
  Subscriber subscriber{"lane"};
};

}  // namespace memlane::test
