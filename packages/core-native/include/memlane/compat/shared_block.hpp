// What the older library called its shared memory: one body of bytes with a flag that says whose turn it is, and the
// height and width of an image. Every process that opened the same key sees the same block, and may write.
//
// memlane shares no writable memory, so the block is what all who have it open tell each other, on two lanes with the
// latest value each: `key/N` carries bodies, `key/N/status` carries the rest. The body that was put last, and the flag
// that was set last since then, are the block. A body lies in memory of its own until nobody looks at it any more, so
// it is never torn. Used by one thread at a time. If another process dies, the block stays as that process left it.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "memlane/memlane.hpp"

namespace memlane::compat {

/// Whose turn it is.
enum Status : int {
  can_write = 0,   ///< the body was read, or there has been none
  can_read = 1,    ///< the body was put and waits for its reader
  processing = 2,  ///< the application's own
  finished = 3,    ///< the application's own: by custom, no body follows
};

namespace detail {

/// What is said of the block, as it travels: with each body as its user header, and as the payload of each message on
/// the status lane. compat.py writes and reads the same bytes.
struct BlockState {
  std::int64_t body = 0;   // which body it speaks of: when that was put (ns, monotonic clock); 0: there is none yet
  std::uint32_t step = 0;  // how often the flag has been set since that body was put
  std::int32_t flag = can_write;
  std::uint64_t rows = 0;  // both 0: nothing is said of them
  std::uint64_t cols = 0;

  /// Which of two statements about the flag is the later one. What was said of an earlier body never counts against a
  /// later one; two who set the flag at the same moment agree on the higher value.
  [[nodiscard]] bool is_later_than(const BlockState& other) const noexcept {
    return std::tie(body, step, flag) > std::tie(other.body, other.step, other.flag);
  }
};
static_assert(sizeof(BlockState) == 32 && std::is_trivially_copyable_v<BlockState>);

class SharedBlock {
 public:
  template <std::integral Key>
  explicit SharedBlock(Key key) : SharedBlock(LaneName(key)) {}

  /// Whose turn it is. A body of which nothing but the news has come cannot be read yet.
  [[nodiscard]] int flag() const noexcept { return is_unread() && !is_here() && !is_own() ? can_write : state_.flag; }
  [[nodiscard]] std::uint64_t rows() const noexcept { return state_.rows; }
  [[nodiscard]] std::uint64_t cols() const noexcept { return state_.cols; }
  /// The body if it can be read, or null. Valid until a call finds the next one.
  [[nodiscard]] const Sample* body() const noexcept { return is_unread() && is_here() ? &*body_ : nullptr; }

  /// Takes in what the others have said.
  void look() {
    bool answered = false;
    while (const auto message = statuses_.take()) {
      if (const auto state = parse(message->bytes())) answered |= adopt(*state);
    }
    while (auto sample = bodies_.take()) take_body(std::move(*sample));
    // Who put the body repeats the answer to it, so that whoever comes later learns of it too.
    if (answered && is_own()) tell();
  }

  /// The same. If nothing has come for a while, it waits for something a little first, so that a program that asks again
  /// and again does not burn a core.
  void look_calmly() {
    look();
    if (Clock::now() - news_ < restless) return;
    static_cast<void>(wait({std::ref<AnyPort>(statuses_), std::ref<AnyPort>(bodies_)}, nap));
    look();
  }

  /// Puts a body if the last one was read. False: it was not, and nothing has changed.
  bool put(std::span<const std::byte> bytes) {
    look();
    if (state_.flag != can_write) return false;
    body_.reset();
    Loan loan = body_out_.loan(DType::uint8, Shape{bytes.size()});
    if (!bytes.empty()) std::memcpy(loan.data(), bytes.data(), bytes.size());
    const BlockState with{std::max(now(), state_.body + 1), 0, can_read, state_.rows, state_.cols};
    const auto sent = body_out_.try_send(loan, {.user_header = std::as_bytes(std::span(&with, 1))});
    if (!sent) {
      if (sent.error().code() == ErrorCode::queue_full) return false;  // somebody else who listens to the lane
      throw sent.error();
    }
    own_body_ = with.body;
    adopt(with);  // the body itself comes back like everybody else's
    return true;
  }

  /// Sets the flag for the body that was last seen. Setting it to what it is says nothing, so saying twice that a body was
  /// read cannot be mistaken for the same about the next.
  void set_flag(int flag) {
    if (flag == this->flag()) return;
    state_.flag = flag;
    ++state_.step;
    tell();
  }

  void set_head(std::uint64_t rows, std::uint64_t cols) {
    state_.rows = rows;
    state_.cols = cols;
    tell();
  }

  void close() {
    body_.reset();
    for (AnyPort* const port : std::initializer_list<AnyPort*>{&body_out_, &status_out_, &bodies_, &statuses_}) {
      port->close();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto restless = std::chrono::milliseconds(1);  // a reply that is on its way comes sooner than that
  static constexpr auto nap = std::chrono::microseconds(200);  // short, since a thread may ask several blocks in turn

  explicit SharedBlock(const LaneName& lane)
      : bodies_(lane, latest()),
        statuses_(lane.text() + "/status", latest()),
        body_out_(lane, {.history = 1}),
        status_out_(lane.text() + "/status", {.history = 1}) {
    look();
  }

  // The writable view is for old programs, whose pointers were never const: a stray write stays in this process.
  static SubscriberOptions latest() { return {.depth = 1, .overflow = Overflow::drop_oldest, .writable_view = true}; }

  static std::int64_t now() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
  }

  static std::optional<BlockState> parse(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() != sizeof(BlockState)) return std::nullopt;
    BlockState state;
    std::memcpy(&state, bytes.data(), sizeof state);
    // A time that no clock shows is not one of ours, and what is later than that could not be told.
    if (state.body < 0 || state.body > std::numeric_limits<std::int64_t>::max() / 2) return std::nullopt;
    return state;
  }

  [[nodiscard]] bool is_unread() const noexcept { return state_.flag == can_read; }
  [[nodiscard]] bool is_here() const noexcept { return body_ && body_put_ == state_.body; }
  [[nodiscard]] bool is_own() const noexcept { return own_body_ == state_.body; }

  /// True: the flag is news.
  bool adopt(const BlockState& said) {
    if (said.rows != 0 || said.cols != 0) {
      state_.rows = said.rows;
      state_.cols = said.cols;
    }
    if (!said.is_later_than(state_)) return false;
    state_.body = said.body;
    state_.step = said.step;
    state_.flag = said.flag;
    news_ = Clock::now();
    return true;
  }

  void take_body(Sample sample) {
    // A publisher that is not one of ours says nothing more than what is in the sample itself.
    const auto said = parse(sample.user_header()).value_or(BlockState{sample.sent_time(), 0, can_read});
    adopt(said);
    if (said.body != state_.body) return;
    body_.emplace(std::move(sample));
    body_put_ = said.body;
  }

  void tell() { status_out_.send_copy(std::as_bytes(std::span(&state_, 1))); }

  Subscriber bodies_;
  Subscriber statuses_;
  Publisher body_out_;
  Publisher status_out_;
  BlockState state_;
  std::optional<Sample> body_;  // the last that has come
  std::int64_t body_put_ = -1;  // which one that is
  std::int64_t own_body_ = -1;  // the last that was put here
  Clock::time_point news_ = Clock::now();
};

}  // namespace detail
}  // namespace memlane::compat
