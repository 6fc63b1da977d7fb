// A loan: writable memory inside the lane, to be sent or given up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "memlane/checksum/crc32c.hpp"
#include "memlane/error.hpp"
#include "memlane/port/sender_port.hpp"
#include "memlane/types/array_view.hpp"
#include "memlane/types/dtype.hpp"
#include "memlane/types/shape.hpp"

namespace memlane {

class Publisher;

/// Keeps the memory of a loan from being lent again, also after the loan was sent or given up. For bindings, whose users may
/// hold on to an array: what they write into it later must not end up in somebody else's sample. From any thread.
class LoanMemory {
 public:
  LoanMemory(LoanMemory&& other) noexcept : port_(std::move(other.port_)), slot_(std::exchange(other.slot_, nullptr)) {}
  LoanMemory& operator=(LoanMemory&& other) noexcept {
    std::swap(port_, other.port_);
    std::swap(slot_, other.slot_);
    return *this;
  }
  LoanMemory(const LoanMemory&) = delete;
  LoanMemory& operator=(const LoanMemory&) = delete;
  ~LoanMemory() {
    if (slot_ != nullptr) port_->give_up(*slot_);
  }

 private:
  friend class Loan;
  LoanMemory(std::shared_ptr<detail::SenderPort> port, detail::Slot& slot) : port_(std::move(port)), slot_(&slot) {
    port_->retain(slot);
  }

  std::shared_ptr<detail::SenderPort> port_;
  detail::Slot* slot_;
};

/// Uninitialised memory that subscribers will read where it lies. Move-only; given up by its destructor if it was not sent.
/// Used by one thread at a time. Access after it was sent or given up throws Error(already_sent | released).
class Loan {
 public:
  Loan(Loan&& other) noexcept
      : port_(std::move(other.port_)),
        slot_(std::exchange(other.slot_, nullptr)),
        bytes_(other.bytes_),
        dtype_(other.dtype_),
        shape_(other.shape_),
        sent_(other.sent_),
        sum_(other.sum_) {}
  Loan& operator=(Loan&& other) noexcept {
    if (this != &other) {
      give_up();
      port_ = std::move(other.port_);
      slot_ = std::exchange(other.slot_, nullptr);
      bytes_ = other.bytes_;
      dtype_ = other.dtype_;
      shape_ = other.shape_;
      sent_ = other.sent_;
      sum_ = other.sum_;
    }
    return *this;
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() { give_up(); }

  /// True until it is sent, given up or moved away.
  explicit operator bool() const noexcept { return slot_ != nullptr; }
  [[nodiscard]] bool was_sent() const noexcept { return sent_; }

  [[nodiscard]] std::byte* data() const {
    check();
    sum_.reset();  // who asks may write there
    return slot_->data();
  }
  [[nodiscard]] std::span<std::byte> bytes() const { return {data(), static_cast<std::size_t>(bytes_)}; }
  /// Bytes of the payload.
  [[nodiscard]] std::uint64_t size() const noexcept { return bytes_; }
  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }

  /// For bindings: see LoanMemory. In the child of a fork there is nothing to keep.
  [[nodiscard]] LoanMemory keep_memory() const {
    if (slot_ == nullptr) check();
    return {port_, *slot_};
  }

  /// Gives the memory back unsent. Harmless if there is nothing to give back.
  void give_up() noexcept {
    if (detail::Slot* const slot = std::exchange(slot_, nullptr)) port_->give_up(*slot);
    port_.reset();
  }

 private:
  friend class Publisher;

  Loan(std::shared_ptr<detail::SenderPort> port, detail::Slot* slot, std::uint64_t bytes, DType dtype,
       const Shape& shape) noexcept
      : port_(std::move(port)), slot_(slot), bytes_(bytes), dtype_(dtype), shape_(shape) {}

  /// Copies a payload into a loan whose memory nobody has asked for yet, of the loan's size. Where samples are summed, it is
  /// done on the way.
  void fill(std::span<const std::byte> payload) {
    if (payload.empty()) return;
    if (port_->checks()) {
      sum_ = detail::copy_and_sum(slot_->data(), payload);
    } else {
      std::memcpy(slot_->data(), payload.data(), payload.size());
    }
  }

  void check() const {
    if (slot_ == nullptr) {
      throw Error(
          sent_ ? ErrorCode::already_sent : ErrorCode::released,
          sent_ ? "the loan was sent already; ask for a new one" : "the loan was given up already; ask for a new one");
    }
    if (port_->was_forked())
      throw Error(ErrorCode::forked,
                  "the loan belongs to the parent process; open a publisher in the child, after the fork",
                  port_->name());
  }

  std::shared_ptr<detail::SenderPort> port_;
  detail::Slot* slot_;
  std::uint64_t bytes_;
  DType dtype_;
  Shape shape_;
  bool sent_ = false;
  mutable std::optional<std::uint32_t> sum_;  // of the payload, while nobody but fill() can have written it
};

static_assert(!std::is_copy_constructible_v<Loan> && std::is_nothrow_move_constructible_v<Loan>);

/// A loan of elements of type T, row-major.
template <class T>
class TypedLoan {
  static_assert(std::is_trivially_copyable_v<T>,
                "a payload crosses processes as bytes: its elements must be trivially copyable");

 public:
  /// `shape` counts elements; the loan's own may count bytes.
  TypedLoan(Loan loan, const Shape& shape) noexcept : loan_(std::move(loan)), shape_(shape) {}

  explicit operator bool() const noexcept { return static_cast<bool>(loan_); }
  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(loan_.data()); }
  /// Number of elements.
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(loan_.size() / sizeof(T)); }
  [[nodiscard]] std::span<T> span() const { return {data(), size()}; }
  [[nodiscard]] T& operator[](std::size_t index) const { return data()[index]; }
  [[nodiscard]] T* begin() const { return data(); }
  [[nodiscard]] T* end() const { return data() + size(); }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] ArrayView<T> array() const { return {data(), shape_}; }
  void give_up() noexcept { loan_.give_up(); }

  /// The same loan without its element type.
  [[nodiscard]] Loan& untyped() noexcept { return loan_; }

 private:
  Loan loan_;
  Shape shape_;
};

}  // namespace memlane
