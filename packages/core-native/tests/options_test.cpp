// Options: their bounds, and the texts of codes and policies.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "memlane/options.hpp"
#include "support/expect_error.hpp"

namespace memlane {
namespace {

TEST(Options, bound_depth_and_history) {
  for (const std::uint32_t depth : {1U, 16U, 65536U}) EXPECT_NO_THROW(detail::check(SubscriberOptions{.depth = depth}));
  for (const std::uint32_t depth : {0U, 65537U, 0xFFFFFFFFU})
    EXPECT_ERROR(out_of_range, detail::check(SubscriberOptions{.depth = depth}), "depth is 1 to 65536");
  EXPECT_NO_THROW(detail::check(PublisherOptions{.history = 65536}));
  EXPECT_ERROR(out_of_range, detail::check(PublisherOptions{.history = 65537}), "history is at most 65536");
}

TEST(Options, bound_labels_encodings_and_headers) {
  EXPECT_NO_THROW(detail::check(PublisherOptions{.label = std::string(63, 'l')}));
  EXPECT_ERROR(out_of_range, detail::check(PublisherOptions{.label = std::string(64, 'l')}), "63");
  EXPECT_ERROR(out_of_range, detail::check(SubscriberOptions{.label = std::string(64, 'l')}), "63");
  const std::string long_name(64, 'e');
  const std::vector<std::byte> header(65);
  EXPECT_ERROR(out_of_range, detail::check(SendInfo{.encoding = long_name}), "63");
  EXPECT_ERROR(out_of_range, detail::check(SendInfo{.user_header = header}), "64");
  EXPECT_NO_THROW(detail::check(
      SendInfo{.encoding = std::string_view(long_name).substr(1), .user_header = std::span(header).first(64)}));
}

// Labels and encodings end up as text in three languages, one of which decodes strictly.
TEST(Options, refuse_labels_and_encodings_that_are_no_text) {
  for (const char* const text : {"\xFF", "a\nb", "\xC3"}) {
    EXPECT_ERROR(invalid_argument, detail::check(PublisherOptions{.label = text}), "label");
    EXPECT_ERROR(invalid_argument, detail::check(SubscriberOptions{.label = text}), "label");
    EXPECT_ERROR(invalid_argument, detail::check(SendInfo{.encoding = text}), "encoding");
  }
  EXPECT_NO_THROW(detail::check(PublisherOptions{.label = "Vörder Kamera"}));
}

TEST(Options, know_four_policies_by_name) {
  for (const char* const name : {"block", "drop-oldest", "drop-newest", "fail"}) {
    const auto overflow = overflow_from_string(name);
    ASSERT_TRUE(overflow) << name;
    EXPECT_EQ(to_string(*overflow), name);
  }
  EXPECT_FALSE(overflow_from_string("drop_oldest"));
  EXPECT_ERROR(invalid_argument, detail::check(SubscriberOptions{.overflow = static_cast<Overflow>(9)}), "overflow");
}

TEST(ErrorCode, has_a_text_of_its_own_in_kebab_case) {
  std::set<std::string_view> texts;
  for (std::uint16_t value = 1; value <= static_cast<std::uint16_t>(ErrorCode::system); ++value) {
    const std::string_view text = to_string(static_cast<ErrorCode>(value));
    EXPECT_NE(text, "unknown") << value;
    EXPECT_TRUE(texts.insert(text).second) << text;
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos) << text;
  }
  EXPECT_EQ(to_string(ErrorCode::queue_full), "queue-full");
  EXPECT_EQ(to_string(static_cast<ErrorCode>(999)), "unknown");
}

TEST(Timeout, takes_any_duration_and_saturates) {
  using namespace std::chrono_literals;
  EXPECT_EQ(Timeout(5ms).nanoseconds(), 5'000'000);
  EXPECT_EQ(Timeout(-1h).nanoseconds(), 0);
  EXPECT_EQ(Timeout(std::chrono::duration<double>(0.25)).nanoseconds(), 250'000'000);
  EXPECT_TRUE(Timeout(std::chrono::hours::max()).is_forever());
  EXPECT_TRUE(forever.is_forever());
  EXPECT_FALSE(Timeout(24h * 365).is_forever());
}

}  // namespace
}  // namespace memlane
