// Lane names: what is accepted, what is refused, and in which words.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "memlane/lane_name.hpp"
#include "support/expect_error.hpp"

namespace memlane {
namespace {

TEST(LaneName, accepts_one_to_two_hundred_bytes) {
  EXPECT_EQ(LaneName("a").text(), "a");
  EXPECT_EQ(LaneName(std::string(200, 'x')).text().size(), 200U);
  EXPECT_ERROR(invalid_name, LaneName(std::string(201, 'x')), "201 bytes");
  EXPECT_ERROR(invalid_name, LaneName(""), "is empty");
}

TEST(LaneName, takes_an_integer_as_a_key) {
  EXPECT_EQ(LaneName(12331).text(), "key/12331");
  EXPECT_EQ(LaneName(-1).text(), "key/-1");
  EXPECT_EQ(LaneName(std::numeric_limits<std::uint64_t>::max()).text(), "key/18446744073709551615");
  EXPECT_EQ(LaneName(12331).text(), LaneName("key/12331").text());
}

TEST(LaneName, accepts_any_language_and_spaces) {
  for (const char* const name : {"camera/front", "Kamera/vörn", "カメラ", "with space", "emoji/\xF0\x9F\x93\xB7",
                                 "a/b/c/d", "...", "a..b", "-x"}) {
    EXPECT_EQ(LaneName(name).text(), name);
  }
}

TEST(LaneName, refuses_parts_that_are_empty_or_dots) {
  for (const char* const name : {"/", "/a", "a/", "a//b"}) EXPECT_ERROR(invalid_name, LaneName(name), "empty part");
  for (const char* const name : {".", "..", "a/..", "../a", "a/./b"})
    EXPECT_ERROR(invalid_name, LaneName(name), "has a part `.");
}

TEST(LaneName, refuses_nul_and_control_characters) {
  EXPECT_ERROR(invalid_name, LaneName(std::string("a\0b", 3)), "NUL");
  EXPECT_ERROR(invalid_name, LaneName("a\nb"), "control character");
  EXPECT_ERROR(invalid_name, LaneName("a\x7F"), "control character");
  EXPECT_ERROR(invalid_name, LaneName(static_cast<const char*>(nullptr)), "is empty");
}

TEST(LaneName, refuses_what_is_not_utf8) {
  for (const char* const name :
       {"\xFF", "a\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x93", "\xC3"}) {
    EXPECT_ERROR(invalid_name, LaneName(name), "UTF-8");
  }
}

// Python decodes the message strictly: it must be UTF-8 itself, whatever the name was.
TEST(LaneName, shows_a_refused_name_as_valid_utf8) {
  std::string long_and_wide;
  while (long_and_wide.size() < 300) long_and_wide += "\xE3\x82\xAB";
  for (const std::string& name : {std::string("\xFF\xFE"), long_and_wide, "a" + long_and_wide, "ab" + long_and_wide}) {
    try {
      static_cast<void>(LaneName(name));
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(detail::first_invalid_utf8(error.what()), std::string_view::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace memlane
