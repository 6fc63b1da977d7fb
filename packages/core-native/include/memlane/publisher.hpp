// The publisher: every subscriber of its lane gets every sample it sends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "memlane/any_port.hpp"
#include "memlane/lane_name.hpp"
#include "memlane/loan.hpp"
#include "memlane/options.hpp"
#include "memlane/port/sender_port.hpp"
#include "memlane/result.hpp"

namespace memlane {

/// Opens with its constructor: when that returns, every live subscriber is linked. Move-only; may be used from any thread.
///
/// Errors, besides those named: Error(closed) after close(), Error(forked) in the child of a fork.
class Publisher final : public AnyPort {
 public:
  /// Throws Error(invalid_name | out_of_range | foreign_directory | permission_denied | pattern_mismatch |
  /// version_mismatch | corrupt | descriptor_limit | system).
  explicit Publisher(const LaneName& lane, const PublisherOptions& options = {})
      : port_(detail::SenderPort::open(lane, options)) {}
  Publisher(Publisher&&) noexcept = default;
  Publisher& operator=(Publisher&& other) noexcept {
    if (this != &other) {
      close();
      port_ = std::move(other.port_);
    }
    return *this;
  }
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() override { close(); }

  /// Memory for `bytes` bytes, to be written and sent. Several loans at once are fine. Throws Error(out_of_range |
  /// budget_spent | out_of_memory | descriptor_limit).
  [[nodiscard]] Loan loan(std::uint64_t bytes) { return lend(bytes, DType::none, Shape{bytes}); }

  /// Memory for an array of that type and shape.
  [[nodiscard]] Loan loan(DType dtype, const Shape& shape) {
    if (!is_known(dtype)) throw Error(ErrorCode::invalid_argument, "unknown dtype", name());
    const auto bytes = shape.byte_count(item_size(dtype));
    if (!bytes)
      throw Error(ErrorCode::out_of_range,
                  "an array of " + to_string(shape) + " " + std::string(to_string(dtype)) + " has too many bytes",
                  name());
    return lend(*bytes, dtype, shape);
  }

  /// The same with the element type as C++ knows it: `publisher.loan<std::uint8_t>({1080, 1920, 3})`. A trivially copyable
  /// struct travels as bytes.
  template <class T>
  [[nodiscard]] TypedLoan<T> loan(const Shape& shape) {
    static_assert(std::is_trivially_copyable_v<T>,
                  "a payload crosses processes as bytes: its elements must be trivially copyable");
    if constexpr (dtype_of<T> != DType::none) {
      return TypedLoan<T>(loan(dtype_of<T>, shape), shape);
    } else {
      const auto bytes = shape.byte_count(sizeof(T));
      if (!bytes)
        throw Error(ErrorCode::out_of_range, "an array of " + to_string(shape) + " elements has too many bytes",
                    name());
      return TypedLoan<T>(loan(*bytes), shape);
    }
  }

  /// Gives the loan away; subscribers read it where it lies. Returns how many it went to. Waits, up to the send timeout,
  /// for subscribers with overflow `block` whose queue is full. Throws Error(timeout | queue_full | interrupted | ...); then
  /// nobody got it, and the loan is still the caller's.
  std::size_t send(Loan&& loan, const SendInfo& info = {}) { return send_within(loan, info, port().send_timeout()); }
  template <class T>
  std::size_t send(TypedLoan<T>&& loan, const SendInfo& info = {}) {
    return send_within(loan.untyped(), info, port().send_timeout());
  }

  /// The same with a timeout of its own. `interrupt` is for bindings.
  std::size_t send_within(Loan& loan, const SendInfo& info, Timeout timeout, const detail::Interrupt& interrupt = {}) {
    return give_away(loan, info, {detail::Deadline(timeout), interrupt, true});
  }

  /// Memory for an array of that type and shape, which holds a copy of `bytes` already. Cheaper than to copy them into a loan
  /// where the publisher has `checksum`.
  [[nodiscard]] Loan loan_copy(DType dtype, const Shape& shape, std::span<const std::byte> bytes) {
    Loan copy = loan(dtype, shape);
    if (copy.size() != bytes.size()) {
      throw Error(ErrorCode::invalid_argument,
                  "an array of " + to_string(shape) + " " + std::string(to_string(dtype)) + " has " +
                      std::to_string(copy.size()) + " bytes, the data has " + std::to_string(bytes.size()),
                  name());
    }
    copy.fill(bytes);
    return copy;
  }

  /// Sends a copy of data that is already elsewhere.
  std::size_t send_copy(std::span<const std::byte> bytes, const SendInfo& info = {}) {
    return send(loan_copy(DType::none, Shape{bytes.size()}, bytes), info);
  }

  /// Sends a copy of elements, with their type and, if given, a shape (else a row).
  template <std::ranges::contiguous_range Range>
    requires std::ranges::sized_range<Range>
  std::size_t send_copy(const Range& elements, const Shape& shape, const SendInfo& info = {}) {
    using T = std::ranges::range_value_t<Range>;
    auto copy = loan<T>(shape);
    if (copy.size() != std::ranges::size(elements)) {
      throw Error(ErrorCode::invalid_argument,
                  "the shape " + to_string(shape) + " has " + std::to_string(copy.size()) + " elements, the data has " +
                      std::to_string(std::ranges::size(elements)),
                  name());
    }
    copy.untyped().fill(std::as_bytes(std::span(std::ranges::data(elements), std::ranges::size(elements))));
    return send(std::move(copy), info);
  }

  /// As loan(), without throwing.
  [[nodiscard]] Result<Loan> try_loan(std::uint64_t bytes) {
    return detail::as_result([&] { return loan(bytes); });
  }
  [[nodiscard]] Result<Loan> try_loan(DType dtype, const Shape& shape) {
    return detail::as_result([&] { return loan(dtype, shape); });
  }
  /// As send(), without throwing and without waiting: Error(queue_full) instead. On failure the loan stays the caller's.
  Result<std::size_t> try_send(Loan& loan, const SendInfo& info = {}) {
    return detail::as_result(
        [&] { return give_away(loan, info, {detail::Deadline(std::chrono::nanoseconds(0)), {}, false}); });
  }
  Result<std::size_t> try_send_copy(std::span<const std::byte> bytes, const SendInfo& info = {}) {
    return detail::as_result([&] {
      Loan copy = loan_copy(DType::none, Shape{bytes.size()}, bytes);
      return try_send(copy, info).value();
    });
  }

  /// Makes memory ready (reserved and touched) for `count` loans of `bytes` at once, so that none of them waits for it.
  void reserve(std::uint64_t bytes, std::size_t count = 1) { port().reserve(bytes, count); }

  /// True when at least `n` subscribers are linked. False: the time is over, or stop() was called.
  bool wait_for_subscribers(std::size_t n = 1, Timeout timeout = forever, const detail::Interrupt& interrupt = {}) {
    return port().wait_for_peers(n, timeout, interrupt);
  }

  /// True when everything sent has been taken and released by everybody. False: the time is over, or stop() was called.
  bool flush(Timeout timeout = forever, const detail::Interrupt& interrupt = {}) {
    return port().flush(timeout, interrupt);
  }

  [[nodiscard]] PublisherStats stats() const { return port().stats(); }

  [[nodiscard]] const std::string& name() const override { return port().name(); }
  [[nodiscard]] int fileno() override { return port().fileno(); }
  [[nodiscard]] bool ready() override { return port().has_room(); }
  /// Leaves the lane at once: what was sent stays readable for who was linked. See flush() to wait for them.
  void close() override {
    if (port_) port_->close();
  }
  [[nodiscard]] bool closed() const override { return !port_ || port_->closed(); }
  void stop() override { port().stop(); }

  /// For bindings.
  [[nodiscard]] detail::SenderPort& port() const {
    if (!port_) throw Error(ErrorCode::closed, "the publisher was moved away");
    return *port_;
  }

 private:
  Loan lend(std::uint64_t bytes, DType dtype, const Shape& shape) {
    detail::Slot* const slot = port().loan(bytes);
    return {port_, slot, bytes, dtype, shape};
  }

  std::size_t give_away(Loan& loan, const SendInfo& info, const detail::SendWait& wait) {
    loan.check();
    if (loan.port_ != port_) {
      throw Error(ErrorCode::invalid_argument,
                  "the loan belongs to another publisher, of lane \"" + loan.port_->name() + "\"", name());
    }
    const std::size_t reached = port_->send(*loan.slot_, loan.bytes_, loan.dtype_, loan.shape_, info, wait, loan.sum_);
    loan.slot_ = nullptr;
    loan.sent_ = true;
    loan.port_.reset();  // a loan object that lives on, as a language with a garbage collector keeps it, holds no port
    return reached;
  }

  std::shared_ptr<detail::SenderPort> port_;
};

static_assert(std::is_nothrow_move_constructible_v<Publisher>);

}  // namespace memlane
