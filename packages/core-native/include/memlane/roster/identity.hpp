// Names that are never used twice, and how they are written in the lane directory.
#pragma once

#include <array>
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "memlane/layout/files.hpp"
#include "memlane/platform/process.hpp"

namespace memlane::detail {

[[nodiscard]] inline std::string hex(std::uint64_t value, bool padded = true) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) {
    const auto digit = (value >> static_cast<unsigned>(shift)) & 0xFU;
    if (padded || digit != 0 || !text.empty() || shift == 0) text += digits[digit];
  }
  return text;
}

[[nodiscard]] inline std::optional<std::uint64_t> parse_hex(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// An endpoint: one process's presence in a lane directory. 128 random bits.
struct EndpointId {
  std::array<std::uint64_t, 2> bits{};

  [[nodiscard]] static EndpointId fresh() { return {platform::random_128()}; }
  [[nodiscard]] std::string text() const { return hex(bits[0]) + hex(bits[1]); }
  [[nodiscard]] static std::optional<EndpointId> parse(std::string_view text) noexcept {
    if (text.size() != 32) return std::nullopt;
    const auto high = parse_hex(text.substr(0, 16));
    const auto low = parse_hex(text.substr(16));
    if (!high || !low) return std::nullopt;
    return EndpointId{{*high, *low}};
  }
  /// The name of its door in the lane directory.
  [[nodiscard]] std::string door_name() const { return "door-" + text(); }

  friend auto operator<=>(const EndpointId&, const EndpointId&) = default;
};

/// A port anywhere: its endpoint, and its number there (1, 2, 3, …, never reused).
struct PortAddress {
  EndpointId endpoint;
  std::uint64_t port = 0;

  [[nodiscard]] std::string text() const { return endpoint.text() + "-" + hex(port, false); }
  friend auto operator<=>(const PortAddress&, const PortAddress&) = default;
};

[[nodiscard]] constexpr std::string_view short_name(PortKind kind) noexcept {
  switch (kind) {
    case PortKind::publisher: return "pub";
    case PortKind::subscriber: return "sub";
    case PortKind::producer: return "prod";
    case PortKind::consumer: return "cons";
    case PortKind::client: return "cli";
    case PortKind::server: return "srv";
  }
  return "";
}

[[nodiscard]] constexpr PortKind opposite(PortKind kind) noexcept {
  switch (kind) {
    case PortKind::publisher: return PortKind::subscriber;
    case PortKind::subscriber: return PortKind::publisher;
    case PortKind::producer: return PortKind::consumer;
    case PortKind::consumer: return PortKind::producer;
    case PortKind::client: return PortKind::server;
    case PortKind::server: return PortKind::client;
  }
  return kind;
}

[[nodiscard]] constexpr Pattern pattern_of(PortKind kind) noexcept {
  switch (kind) {
    case PortKind::producer:
    case PortKind::consumer: return Pattern::work_queue;
    case PortKind::client:
    case PortKind::server: return Pattern::request_reply;
    default: return Pattern::publish_subscribe;
  }
}

[[nodiscard]] constexpr std::string_view to_string(Pattern pattern) noexcept {
  switch (pattern) {
    case Pattern::publish_subscribe: return "publish/subscribe";
    case Pattern::work_queue: return "work queue";
    case Pattern::request_reply: return "request/reply";
  }
  return "unknown";
}

/// "KIND-ENDPOINT-PORT": an announcement's file name alone tells a newcomer whom to call, so joining parses no file.
[[nodiscard]] inline std::string announcement_name(PortKind kind, const PortAddress& address) {
  return std::string(short_name(kind)) + "-" + address.text();
}

struct AnnouncedPort {
  PortKind kind;
  PortAddress address;
};

[[nodiscard]] inline std::optional<AnnouncedPort> parse_announcement_name(std::string_view name) {
  const std::size_t first = name.find('-');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = name.find('-', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto endpoint = EndpointId::parse(name.substr(first + 1, second - first - 1));
  const auto port = parse_hex(name.substr(second + 1));
  if (!endpoint || !port) return std::nullopt;
  for (std::uint8_t kind = 1; kind <= 6; ++kind) {
    if (short_name(static_cast<PortKind>(kind)) == name.substr(0, first))
      return AnnouncedPort{static_cast<PortKind>(kind), {*endpoint, *port}};
  }
  return std::nullopt;
}

__extension__ using Uint128 = unsigned __int128;

/// Hash of a lane's name, 128 bits (FNV-1a): folders have short names whatever the lane's. The lane file has the full one,
/// so that two names with one hash are told apart.
[[nodiscard]] inline std::array<std::uint64_t, 2> lane_hash(std::string_view name) noexcept {
  // Offset basis and prime of the 128-bit FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
  Uint128 hash = (static_cast<Uint128>(0x6c62272e07bb0142ULL) << 64U) | 0x62b821756295c58dULL;
  constexpr Uint128 prime = (static_cast<Uint128>(0x0000000001000000ULL) << 64U) | 0x000000000000013BULL;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= prime;
  }
  return {static_cast<std::uint64_t>(hash >> 64U), static_cast<std::uint64_t>(hash)};
}

}  // namespace memlane::detail
