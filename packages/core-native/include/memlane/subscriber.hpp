// The subscriber: gets every sample of every publisher of its lane, in order for each of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "memlane/any_port.hpp"
#include "memlane/lane_name.hpp"
#include "memlane/options.hpp"
#include "memlane/port/receiver_port.hpp"
#include "memlane/result.hpp"
#include "memlane/sample.hpp"

namespace memlane {

class Subscriber;

struct SampleRangeOptions {
  /// The loop also ends when every publisher that there was has left and everything it sent was taken.
  bool until_idle = false;
};

/// Samples one after the other, for a range-based for. Each is released when the loop goes on, unless it was moved away.
class SampleRange {
 public:
  class iterator {
   public:
    using value_type = Sample;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    Sample& operator*() const { return **current_; }
    inline iterator& operator++();
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& it, std::default_sentinel_t) { return !it.current_ || !*it.current_; }

   private:
    friend class SampleRange;
    iterator(Subscriber& subscriber, SampleRangeOptions options)
        : subscriber_(&subscriber), options_(options), current_(std::make_shared<std::optional<Sample>>()) {
      ++*this;
    }

    Subscriber* subscriber_ = nullptr;
    SampleRangeOptions options_;
    std::shared_ptr<std::optional<Sample>> current_;  // shared: an iterator must be copyable, a sample is not
  };

  [[nodiscard]] iterator begin() const { return {*subscriber_, options_}; }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  friend class Subscriber;
  SampleRange(Subscriber& subscriber, SampleRangeOptions options) : subscriber_(&subscriber), options_(options) {}

  Subscriber* subscriber_;
  SampleRangeOptions options_;
};

/// Opens with its constructor: every send that begins after that has returned reaches it. Move-only; may be used from any
/// thread; samples may outlive it.
///
/// Errors, besides those named: Error(closed) after close(), Error(forked) in the child of a fork.
class Subscriber final : public AnyPort {
 public:
  /// Throws Error(invalid_name | out_of_range | foreign_directory | permission_denied | pattern_mismatch |
  /// version_mismatch | corrupt | descriptor_limit | system).
  explicit Subscriber(const LaneName& lane, const SubscriberOptions& options = {})
      : port_(detail::ReceiverPort::open(lane, options)) {}
  Subscriber(Subscriber&&) noexcept = default;
  Subscriber& operator=(Subscriber&& other) noexcept {
    if (this != &other) {
      close();
      port_ = std::move(other.port_);
    }
    return *this;
  }
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber() override { close(); }

  /// The next sample, if one is there. Throws Error(corrupt), once, for each publisher whose link had to be dropped because
  /// what it wrote made no sense; the others go on.
  [[nodiscard]] std::optional<Sample> take() { return wrap(port().take()); }

  /// Waits for the next sample. Nothing: the time is over, or the port was stopped or closed meanwhile.
  [[nodiscard]] std::optional<Sample> take(Timeout timeout, const detail::Interrupt& interrupt = {}) {
    return wrap(port().take(timeout, interrupt));
  }

  /// The same, but nothing as well when every publisher that there was has left and everything it sent was taken.
  [[nodiscard]] std::optional<Sample> take_until_idle(Timeout timeout = forever,
                                                      const detail::Interrupt& interrupt = {}) {
    return wrap(port().take(timeout, interrupt, detail::ReceiverPort::Until::idle));
  }

  /// As take(), without throwing.
  [[nodiscard]] Result<std::optional<Sample>> try_take() {
    return detail::as_result([&] { return take(); });
  }

  /// Samples until the port is stopped or closed, or idle: `for (auto& sample : subscriber.samples({.until_idle = true}))`.
  [[nodiscard]] SampleRange samples(SampleRangeOptions options = {}) { return {*this, options}; }
  /// `for (auto& sample : subscriber)`: until the port is stopped or closed.
  [[nodiscard]] SampleRange::iterator begin() { return samples().begin(); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  /// Whether every publisher that there was has left, and everything it sent was taken.
  [[nodiscard]] bool idle() const { return port().idle(); }

  /// True when at least `n` publishers are linked. False: the time is over, or stop() was called.
  bool wait_for_publishers(std::size_t n = 1, Timeout timeout = forever, const detail::Interrupt& interrupt = {}) {
    return port().wait_for_peers(n, timeout, interrupt);
  }

  [[nodiscard]] SubscriberStats stats() const { return port().stats(); }

  [[nodiscard]] const std::string& name() const override { return port().name(); }
  [[nodiscard]] int fileno() override { return port().fileno(); }
  [[nodiscard]] bool ready() override { return port().ready(); }
  /// Takes nothing more. Samples that are held stay valid until they are released.
  void close() override {
    if (port_) port_->close();
  }
  [[nodiscard]] bool closed() const override { return !port_ || port_->closed(); }
  void stop() override { port().stop(); }

  /// For bindings.
  [[nodiscard]] detail::ReceiverPort& port() const {
    if (!port_) throw Error(ErrorCode::closed, "the subscriber was moved away");
    return *port_;
  }

 private:
  std::optional<Sample> wrap(std::optional<detail::Delivery> delivery) {
    if (!delivery) return std::nullopt;
    return Sample(port_, std::move(*delivery));
  }

  std::shared_ptr<detail::ReceiverPort> port_;
};

static_assert(std::is_nothrow_move_constructible_v<Subscriber>);

SampleRange::iterator& SampleRange::iterator::operator++() {
  current_->reset();  // released before we wait for the next
  try {
    *current_ = options_.until_idle ? subscriber_->take_until_idle() : subscriber_->take(forever);
  } catch (const Error& error) {
    // Another thread may close the port at any time; that is the end of the loop and not a mistake.
    if (error.code() != ErrorCode::closed) throw;
  }
  return *this;
}

}  // namespace memlane
