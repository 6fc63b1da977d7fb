// What a port can be told when it is opened, and what it tells of itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "memlane/error.hpp"
#include "memlane/timeout.hpp"
#include "memlane/types/text.hpp"

namespace memlane {

/// What happens to a sample that finds a subscriber's queue full. Chosen by the subscriber; every drop is counted.
enum class Overflow : std::uint8_t {
  block = 0,        ///< the publisher waits: nothing is lost
  drop_oldest = 1,  ///< the oldest sample that waits makes room
  drop_newest = 2,  ///< the new sample does not reach this subscriber
  fail = 3,         ///< the send fails with Error(queue_full), and reaches nobody
};

[[nodiscard]] constexpr std::string_view to_string(Overflow overflow) noexcept {
  switch (overflow) {
    case Overflow::block: return "block";
    case Overflow::drop_oldest: return "drop-oldest";
    case Overflow::drop_newest: return "drop-newest";
    case Overflow::fail: return "fail";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::optional<Overflow> overflow_from_string(std::string_view name) noexcept {
  for (const Overflow overflow : {Overflow::block, Overflow::drop_oldest, Overflow::drop_newest, Overflow::fail}) {
    if (to_string(overflow) == name) return overflow;
  }
  return std::nullopt;
}

/// How long a waiting call looks again and again before it sleeps. A sleeper costs its waker a system call and the
/// machine a task switch; a spinner costs a core.
class Spin {
 public:
  /// Spins for as long as it has lately been worth it, at most 20 us; not at all on a machine with one core.
  [[nodiscard]] static constexpr Spin adaptive() noexcept { return Spin(-1); }
  /// Always spins for this long; zero never spins.
  template <class Rep, class Period>
  constexpr Spin(std::chrono::duration<Rep, Period> span) noexcept  // NOLINT(google-explicit-constructor)
      : nanoseconds_(Timeout(span).nanoseconds()) {}

  [[nodiscard]] constexpr bool is_adaptive() const noexcept { return nanoseconds_ < 0; }
  [[nodiscard]] constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }

 private:
  explicit constexpr Spin(std::int64_t nanoseconds) noexcept : nanoseconds_(nanoseconds) {}
  std::int64_t nanoseconds_;
};

struct PublisherOptions {
  /// How many of the last samples a late joiner is given first, 0 to 65,536.
  std::uint32_t history = 0;
  /// The most memory this port may hold, in bytes; 0: what the machine and the control group allow.
  std::uint64_t memory_budget = 0;
  /// How many samples one subscriber may hold, taken and not released, before its queue counts as full; what waits in it then
  /// can still be taken. 0: as many as it likes, and it may use up the memory budget for everybody.
  std::uint32_t max_held = 0;
  /// How long a send lets itself be kept waiting by a full queue of a subscriber that asked for `block`.
  Timeout send_timeout = forever;
  /// Each sample travels with a CRC-32C, and subscribers check it when they take it: a sample that was changed after it was
  /// sent, by a stray write of this process or by failing memory, is an Error(corrupt) there.
  bool checksum = false;
  /// How long opening waits for a peer that is alive but does not answer; its link comes up when it does.
  Timeout join_timeout = std::chrono::seconds(1);
  /// Shown to peers in messages, at most 63 bytes of UTF-8.
  std::string label = {};
  /// Where lanes meet; empty: MEMLANE_DIR, else $XDG_RUNTIME_DIR/memlane, else /run/user/UID/memlane, else /tmp/memlane-UID.
  std::filesystem::path directory = {};
  /// A group of users whose members are let in, and nobody else: its name, or its number in digits. Empty: this user alone.
  /// Every port in the directory must say the same; where no directory is chosen it is /tmp/memlane-group-GID.
  std::string group = {};
  Spin spin = Spin::adaptive();
  /// For bindings: asked while opening waits.
  detail::Interrupt interrupt = {};
};

struct SubscriberOptions {
  /// How many samples of each publisher may wait here, 1 to 65,536.
  std::uint32_t depth = 16;
  Overflow overflow = Overflow::block;
  Timeout join_timeout = std::chrono::seconds(1);
  std::string label = {};
  std::filesystem::path directory = {};
  std::string group = {};
  Spin spin = Spin::adaptive();
  /// Samples are mapped privately, so that a stray write of this process kills nobody, is seen by nobody, and is gone
  /// with the sample. For languages that have no read-only memory; costs a look at the sample's pages at release.
  bool writable_view = false;
  /// For bindings: asked while opening waits.
  detail::Interrupt interrupt = {};
};

/// What travels with a payload besides its type.
struct SendInfo {
  /// A well-known name of the payload's encoding, e.g. "arrow-ipc"; at most 63 bytes.
  std::string_view encoding = {};
  /// Bytes for the application's own use; at most 64.
  std::span<const std::byte> user_header = {};
};

/// Who sent a sample.
struct Sender {
  std::string id;        ///< unique for the port, never reused
  std::int64_t pid = 0;  ///< in the sender's own pid namespace
  std::string label;     ///< as the sender chose it
};

struct PublisherStats {
  std::uint64_t sent = 0;        ///< samples, each counted once however many it went to
  std::uint64_t sent_bytes = 0;  ///< their payloads
  std::uint64_t dropped = 0;     ///< samples times subscribers that did not get them, by their policy
  std::uint64_t waiting = 0;     ///< given to a subscriber and not yet released by it
  std::uint64_t bytes = 0;       ///< memory held by this port
  std::uint64_t peers = 0;       ///< subscribers linked
  std::uint64_t broken = 0;      ///< links dropped because the other side's memory or messages made no sense
};

struct SubscriberStats {
  std::uint64_t received = 0;  ///< samples taken
  std::uint64_t bytes = 0;     ///< their payloads
  std::uint64_t dropped = 0;   ///< samples that did not reach this port, by its policy
  std::uint64_t waiting = 0;   ///< arrived and not yet taken
  std::uint64_t held = 0;      ///< taken and not yet released
  std::uint64_t peers = 0;     ///< publishers linked
  std::uint64_t broken = 0;    ///< links dropped because the other side's memory or messages made no sense
};

namespace detail {

inline constexpr std::uint32_t max_depth = 65536;    // a ring of 8 MB; deeper queues belong in the application
inline constexpr std::uint32_t max_history = 65536;  // the same bound: history is pushed into a queue
inline constexpr std::size_t max_label = 63;
inline constexpr std::size_t max_encoding = 63;
inline constexpr std::size_t max_user_header = 64;

inline void check_label(const std::string& label) {
  if (label.size() > max_label) {
    throw Error(ErrorCode::out_of_range, "a label has at most 63 bytes, this one has " + std::to_string(label.size()));
  }
  if (!is_text(label)) {
    throw Error(ErrorCode::invalid_argument,
                "the label \"" + printable(label) + "\" is not UTF-8, or holds a control character");
  }
}

inline void check(const PublisherOptions& options) {
  if (options.history > max_history) {
    throw Error(ErrorCode::out_of_range, "history is at most 65536 samples, not " + std::to_string(options.history));
  }
  check_label(options.label);
}

inline void check(const SubscriberOptions& options) {
  if (options.depth == 0 || options.depth > max_depth) {
    throw Error(ErrorCode::out_of_range, "depth is 1 to 65536 samples, not " + std::to_string(options.depth));
  }
  if (to_string(options.overflow) == "unknown") throw Error(ErrorCode::invalid_argument, "unknown overflow policy");
  check_label(options.label);
}

inline void check(const SendInfo& info) {
  if (info.encoding.size() > max_encoding) {
    throw Error(ErrorCode::out_of_range,
                "an encoding's name has at most 63 bytes, this one has " + std::to_string(info.encoding.size()));
  }
  if (!is_text(info.encoding)) {
    throw Error(ErrorCode::invalid_argument,
                "the encoding's name \"" + printable(info.encoding) + "\" is not UTF-8, or holds a control character");
  }
  if (info.user_header.size() > max_user_header) {
    throw Error(ErrorCode::out_of_range,
                "a user header has at most 64 bytes, this one has " + std::to_string(info.user_header.size()));
  }
}

}  // namespace detail
}  // namespace memlane
