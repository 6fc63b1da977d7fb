// A sample: what a receiver holds, read-only, until it releases it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "memlane/error.hpp"
#include "memlane/options.hpp"
#include "memlane/port/receiver_port.hpp"
#include "memlane/types/array_view.hpp"
#include "memlane/types/dtype.hpp"
#include "memlane/types/shape.hpp"

namespace memlane {

class Subscriber;

/// The payload where the sender wrote it, and what was sent with it. Move-only; released by its destructor, in any thread;
/// may outlive its Subscriber. Access after release throws Error(released). Every span and view ends with the release.
class Sample {
 public:
  Sample(Sample&&) noexcept = default;
  Sample& operator=(Sample&& other) noexcept {
    if (this != &other) {
      release();
      port_ = std::move(other.port_);
      delivery_ = std::move(other.delivery_);
    }
    return *this;
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
  ~Sample() { release(); }

  /// True until it is released or moved away.
  explicit operator bool() const noexcept { return port_ != nullptr; }

  [[nodiscard]] const std::byte* data() const { return memory() + delivery_.sample.descriptor.offset; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data(), static_cast<std::size_t>(size())}; }
  /// Bytes of the payload.
  [[nodiscard]] std::uint64_t size() const { return check().sample.descriptor.length; }

  /// The payload as one T. Throws Error(type_mismatch) unless it has exactly that size.
  template <class T>
  [[nodiscard]] const T& as() const {
    static_assert(std::is_trivially_copyable_v<T>,
                  "a payload crosses processes as bytes: only a trivially copyable type can be read from it");
    if (size() != sizeof(T)) refuse("is " + std::to_string(size()) + " bytes long, not " + std::to_string(sizeof(T)));
    return *elements<T>();
  }

  /// The payload as an array of T, with its shape. Throws Error(type_mismatch) unless the elements are of that type; plain
  /// bytes, and structs, are taken as a row of T if the size fits.
  template <class T>
  [[nodiscard]] ArrayView<const T> as_array() const {
    static_assert(std::is_trivially_copyable_v<T>,
                  "a payload crosses processes as bytes: only trivially copyable elements can be read from it");
    if (dtype() != DType::none && dtype_of<T> == dtype()) return {elements<T>(), shape()};
    if (dtype() != DType::none && dtype_of<T> != DType::none) {
      refuse("holds " + std::string(to_string(dtype())) + ", not " + std::string(to_string(dtype_of<T>)));
    }
    if (size() % sizeof(T) != 0)
      refuse("is " + std::to_string(size()) + " bytes long, no multiple of " + std::to_string(sizeof(T)));
    return {elements<T>(), Shape{size() / sizeof(T)}};
  }

  /// 1, 2, 3, … for each publisher; a gap where samples were dropped.
  [[nodiscard]] std::uint64_t sequence() const { return check().sample.descriptor.sequence; }
  /// When it was sent: nanoseconds, CLOCK_MONOTONIC, comparable across processes.
  [[nodiscard]] std::int64_t sent_time() const {
    return static_cast<std::int64_t>(check().sample.descriptor.sent_time);
  }
  /// When it was taken, on the same clock.
  [[nodiscard]] std::int64_t received_time() const { return check().taken_time; }
  [[nodiscard]] Sender sender() const {
    const auto& link = *check().link;
    return {link.address().text(), link.pid(), link.label()};
  }
  [[nodiscard]] DType dtype() const { return static_cast<DType>(check().sample.descriptor.dtype); }
  [[nodiscard]] const Shape& shape() const { return check().sample.shape; }
  [[nodiscard]] std::string_view encoding() const {
    return {check().sample.meta.encoding, check().sample.meta.encoding_length};
  }
  [[nodiscard]] std::span<const std::byte> user_header() const {
    return {check().sample.meta.user, check().sample.meta.user_length};
  }

  /// For bindings, with SubscriberOptions::writable_view: data() for a view that the language itself keeps from being
  /// written to. release() then need not look for stray writes, unless data() was asked for as well.
  [[nodiscard]] const std::byte* guarded_data() const {
    const auto& sample = check().sample;
    return sample.memory->data() + sample.descriptor.offset;
  }

  /// Copies the payload to `target`, which has room for size() bytes.
  void copy_to(std::byte* target) const {
    const auto& sample = check().sample;
    if (sample.descriptor.length == 0) return;
    std::memcpy(target, sample.memory->data() + sample.descriptor.offset,
                static_cast<std::size_t>(sample.descriptor.length));
  }

  /// Gives the memory back to the sender. The second time does nothing.
  void release() noexcept {
    const auto port = std::exchange(port_, nullptr);
    if (!port) return;
    if (exposed_ && port->view() == detail::platform::View::scribble && !port->was_forked() && may_be_written()) {
      const auto& sample = delivery_.sample;
      detail::platform::discard_writes(*sample.memory, static_cast<std::size_t>(sample.descriptor.offset),
                                       static_cast<std::size_t>(sample.descriptor.length));
    }
    port->release(delivery_);
    delivery_ = {};
  }

  /// For bindings, with SubscriberOptions::writable_view: whether the payload may share a page with another sample. Then a
  /// stray write could spoil that one, and a writable view must be made from a copy.
  [[nodiscard]] bool shares_pages() const {
    const auto& descriptor = check().sample.descriptor;
    return descriptor.length < detail::slot_page / 2 || descriptor.offset % detail::slot_page != 0;
  }

 private:
  friend class Subscriber;

  Sample(std::shared_ptr<detail::ReceiverPort> port, detail::Delivery delivery) noexcept
      : port_(std::move(port)), delivery_(std::move(delivery)) {}

  [[nodiscard]] const detail::Delivery& check() const {
    if (!port_) throw Error(ErrorCode::released, "the sample was released already");
    if (port_->was_forked()) throw Error(ErrorCode::forked, "the sample belongs to the parent process", port_->name());
    return delivery_;
  }

  [[nodiscard]] const std::byte* memory() const {
    const auto& delivery = check();
    if (!std::exchange(exposed_, true) && port_->view() == detail::platform::View::scribble &&
        size() >= worth_counting) {
      faults_when_exposed_ = detail::platform::page_faults();
    }
    return delivery.sample.memory->data();
  }

  /// Looking which pages were written takes time by the page. That none can have been is known at once where the process had
  /// no page fault since the memory was shown, as it is in a loop that runs.
  [[nodiscard]] bool may_be_written() const noexcept {
    return !faults_when_exposed_ || detail::platform::page_faults() != faults_when_exposed_;
  }

  /// Where a publisher of ours puts a payload, a type of any alignment up to 64 can lie; another may put it at a multiple of
  /// 16, and what is compiled for 32 would end the process there.
  template <class T>
  [[nodiscard]] const T* elements() const {
    const std::byte* const at = data();
    if constexpr (alignof(T) > alignof(std::max_align_t)) {
      if (reinterpret_cast<std::uintptr_t>(at) % alignof(T) != 0)
        refuse("does not lie at a multiple of " + std::to_string(alignof(T)) + ", as this type must");
    }
    return reinterpret_cast<const T*>(at);
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::type_mismatch,
                "sample " + std::to_string(sequence()) + " of lane \"" + port_->name() + "\" " + why, port_->name());
  }

  // Bytes. To count faults twice takes a microsecond or two in a process with a dozen threads: as long as a look at some
  // hundred pages.
  static constexpr std::uint64_t worth_counting = std::uint64_t{1} << 20U;

  std::shared_ptr<detail::ReceiverPort> port_;
  detail::Delivery delivery_;
  mutable bool exposed_ = false;  // somebody may have written to it, where that is possible
  mutable std::optional<std::uint64_t> faults_when_exposed_;
};

static_assert(!std::is_copy_constructible_v<Sample>);

}  // namespace memlane
