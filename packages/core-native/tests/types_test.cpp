// Element types, shapes, and sizes that do not fit.
#include <gtest/gtest.h>

#include <complex>
#include <cstdint>
#include <set>
#include <string>

#include "memlane/types/dtype.hpp"
#include "memlane/types/shape.hpp"
#include "support/expect_error.hpp"

namespace memlane {
namespace {

TEST(DType, has_a_name_and_a_size_and_the_name_leads_back) {
  std::set<std::string_view> names;
  for (int value = 0; value < 16; ++value) {
    const auto dtype = static_cast<DType>(value);
    EXPECT_TRUE(is_known(dtype));
    EXPECT_GT(item_size(dtype), 0U);
    EXPECT_EQ(dtype_from_string(to_string(dtype)), dtype);
    EXPECT_TRUE(names.insert(to_string(dtype)).second);
  }
  EXPECT_EQ(item_size(DType::bfloat16), 2U);
  EXPECT_EQ(item_size(DType::complex128), 16U);
}

TEST(DType, does_not_know_a_byte_that_is_none) {
  const auto strange = static_cast<DType>(16);
  EXPECT_FALSE(is_known(strange));
  EXPECT_EQ(item_size(strange), 0U);
  EXPECT_EQ(to_string(strange), "unknown");
  EXPECT_FALSE(dtype_from_string("float8"));
}

TEST(DType, follows_from_the_element_type) {
  EXPECT_EQ(dtype_of<bool>, DType::bool8);
  EXPECT_EQ(dtype_of<const float>, DType::float32);
  EXPECT_EQ(dtype_of<std::uint8_t>, DType::uint8);
  EXPECT_EQ(dtype_of<long long>, DType::int64);
  EXPECT_EQ(dtype_of<std::complex<float>>, DType::complex64);
  struct Point {
    int x, y;
  };
  EXPECT_EQ(dtype_of<Point>, DType::none);
}

TEST(Shape, holds_up_to_eight_extents) {
  EXPECT_EQ(Shape({1, 2, 3, 4, 5, 6, 7, 8}).ndim(), 8U);
  EXPECT_ERROR(out_of_range, Shape({1, 2, 3, 4, 5, 6, 7, 8, 9}), "at most 8");
  EXPECT_ERROR(out_of_range, Shape({1, -1}), "negative");
}

TEST(Shape, counts_bytes_or_says_that_they_do_not_fit) {
  EXPECT_EQ(Shape({1080, 1920, 3}).byte_count(1), 6'220'800U);
  EXPECT_EQ(Shape({}).byte_count(8), 8U) << "no dimension is a scalar";
  EXPECT_EQ(Shape({5, 0, 7}).byte_count(8), 0U);
  const std::uint64_t huge = std::uint64_t{1} << 32U;
  EXPECT_EQ((Shape{huge, huge}.byte_count(1)), std::nullopt);
  EXPECT_EQ((Shape{huge, huge, std::uint64_t{0}}.byte_count(1)), std::nullopt)
      << "NumPy would overflow before it sees the 0";
  EXPECT_EQ((Shape{(std::uint64_t{1} << 63U) - 1}.byte_count(1)), (std::uint64_t{1} << 63U) - 1);
  EXPECT_EQ((Shape{std::uint64_t{1} << 63U}.byte_count(1)), std::nullopt);
  EXPECT_EQ((Shape{std::uint64_t{1} << 62U}.byte_count(2)), std::nullopt);
}

TEST(Shape, reads_well) {
  EXPECT_EQ(to_string(Shape({1080, 1920, 3})), "1080x1920x3");
  EXPECT_EQ(to_string(Shape({})), "scalar");
  EXPECT_TRUE(Shape({2, 3}) == Shape({2U, 3U}));
  EXPECT_EQ((Shape{std::size_t{2}, 3, std::uint8_t{4}}), Shape({2, 3, 4})) << "integers of any types together";
  EXPECT_FALSE(Shape({2, 3}) == Shape({2, 3, 1}));
}

}  // namespace
}  // namespace memlane
