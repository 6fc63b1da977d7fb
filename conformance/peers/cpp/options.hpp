// What the fields of a step mean to the library.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memlane/memlane.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "form.hpp"

namespace conformance {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

[[nodiscard]] inline memlane::Timeout timeout_of(const Form& step, const char* name = "timeout",
                                                 memlane::Timeout otherwise = memlane::forever) {
  return step.find(name) ? memlane::Timeout(Milliseconds(step.number<double>(name))) : otherwise;
}

[[nodiscard]] inline memlane::LaneName lane_of(const Form& step) {
  const auto key = step.find("key");
  if (!key) return step.text("lane");
  if (key->starts_with('-')) return step.number<std::int64_t>("key");
  return step.number<std::uint64_t>("key");
}

// A count as a C++ program would pass it: a negative number becomes a huge one, and must be refused as such.
[[nodiscard]] inline std::uint64_t count_of(const Form& step, const char* name) {
  const std::string text = step.text(name);
  if (text.starts_with('-')) return static_cast<std::uint64_t>(step.number<std::int64_t>(name));
  return step.number<std::uint64_t>(name);
}

[[nodiscard]] inline memlane::Spin spin_of(const Form& step) {
  return step.find("spin") ? memlane::Spin(Milliseconds(step.number<double>("spin"))) : memlane::Spin::adaptive();
}

[[nodiscard]] inline memlane::Overflow overflow_of(const Form& step) {
  const auto name = step.find("overflow");
  if (!name) return memlane::Overflow::block;
  return memlane::overflow_from_string(*name).value_or(static_cast<memlane::Overflow>(99));
}

[[nodiscard]] inline memlane::DType dtype_of(const Form& step) {
  const auto name = step.find("dtype");
  if (!name) return memlane::DType::none;
  return memlane::dtype_from_string(*name).value_or(static_cast<memlane::DType>(99));
}

[[nodiscard]] inline memlane::Shape shape_of(const Form& step) {
  const auto extents = step.numbers<std::int64_t>("shape");
  return memlane::Shape(std::span(extents));
}

[[nodiscard]] inline std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[static_cast<std::size_t>(byte) >> 4U];
    text += digits[static_cast<std::size_t>(byte) & 15U];
  }
  return text;
}

[[nodiscard]] inline std::vector<std::byte> from_hex(const std::string& text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

[[nodiscard]] inline memlane::PublisherOptions publisher_options(const Form& step) {
  memlane::PublisherOptions options;
  options.history = static_cast<std::uint32_t>(step.number<std::int64_t>("history", 0));
  options.memory_budget = step.number<std::uint64_t>("budget", 0);
  options.max_held = step.number<std::uint32_t>("max-held", 0);
  options.send_timeout = timeout_of(step, "send-timeout");
  options.checksum = step.text("checksum", "false") == "true";
  options.join_timeout = timeout_of(step, "join-timeout", options.join_timeout);
  options.label = step.text("label", "");
  options.directory = step.text("directory");
  options.group = step.text("group", "");
  options.spin = spin_of(step);
  return options;
}

[[nodiscard]] inline memlane::SubscriberOptions subscriber_options(const Form& step) {
  memlane::SubscriberOptions options;
  if (step.find("depth")) options.depth = static_cast<std::uint32_t>(step.number<std::int64_t>("depth"));
  options.overflow = overflow_of(step);
  options.join_timeout = timeout_of(step, "join-timeout", options.join_timeout);
  options.label = step.text("label", "");
  options.directory = step.text("directory");
  options.group = step.text("group", "");
  options.spin = spin_of(step);
  options.writable_view = step.text("writable", "false") == "true";
  return options;
}

}  // namespace conformance
