// EXPECT_ERROR(code, statement, words): the statement throws memlane::Error with that code, and the message has the words.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "memlane/error.hpp"

namespace memlane::test {

inline ::testing::AssertionResult throws_error(ErrorCode code, std::string_view words,
                                               const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.code() != code) {
      return ::testing::AssertionFailure()
             << "threw " << to_string(error.code()) << " instead of " << to_string(code) << ": " << error.what();
    }
    if (std::string_view(error.what()).find(words) == std::string_view::npos) {
      return ::testing::AssertionFailure() << "the message lacks \"" << words << "\": " << error.what();
    }
    return ::testing::AssertionSuccess();
  } catch (const std::exception& other) {
    return ::testing::AssertionFailure() << "threw something else: " << other.what();
  }
  return ::testing::AssertionFailure() << "threw nothing";
}

}  // namespace memlane::test

#define EXPECT_ERROR(code, statement, words) \
  EXPECT_TRUE(::memlane::test::throws_error(::memlane::ErrorCode::code, words, [&] { static_cast<void>(statement); }))
