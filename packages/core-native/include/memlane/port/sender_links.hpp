// The links of a sending port: who is linked, whose half makes no sense, and what all of them have together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "memlane/options.hpp"
#include "memlane/port/sender_link.hpp"
#include "memlane/segment/pool.hpp"

namespace memlane::detail {

/// Has no lock: its port's mutex is held. One link for each receiver; with its end everything that it still had out is back in
/// the pool, and what it had dropped stays counted.
class SenderLinks {
 public:
  using Pointer = std::unique_ptr<SenderLink>;

  explicit SenderLinks(SegmentPool& pool) noexcept : pool_(pool) {}

  [[nodiscard]] auto begin() const noexcept { return links_.begin(); }
  [[nodiscard]] auto end() const noexcept { return links_.end(); }

  /// Null if there is none.
  [[nodiscard]] SenderLink* find(const PortAddress& address) const noexcept {
    return find_first([&](const SenderLink& link) { return link.address() == address; });
  }
  [[nodiscard]] SenderLink* find_of(const EndpointId& endpoint) const noexcept {
    return find_first([&](const SenderLink& link) { return link.address().endpoint == endpoint; });
  }

  /// So that the next add() cannot fail.
  void make_place() { links_.reserve(links_.size() + 1); }
  void add(Pointer link) noexcept { links_.push_back(std::move(link)); }

  /// The receiver is gone, or gets nothing more. Returns the link, which is freed with the pointer to it.
  Pointer end_link(const SenderLink& link) noexcept {
    const auto found = std::ranges::find(links_, &link, &Pointer::get);
    Pointer ended = std::move(*found);
    links_.erase(found);
    ended->take_all_back(pool_);
    dropped_by_gone_ += ended->dropped();
    return ended;
  }

  void end_all() noexcept {
    for (const auto& link : links_) link->take_all_back(pool_);
    links_.clear();
  }

  /// Runs what may find the receiver's half corrupt; then the link is marked, to be dropped by drop_broken().
  template <class Action>
  static auto guarded(SenderLink& link, Action&& action) -> decltype(action()) {
    try {
      return action();
    } catch (const Corruption&) {
      link.mark_broken();
      if constexpr (!std::is_void_v<decltype(action())>) return {};
    }
  }

  /// Ends the links that were marked, each after `tell(link)`.
  template <class Tell>
  void drop_broken(Tell&& tell) noexcept {
    while (const SenderLink* const link = find_first([](const SenderLink& each) { return each.broken(); })) {
      tell(*link);
      end_link(*link);
    }
  }

  /// To be followed by drop_broken().
  void collect_returns() {
    for (const auto& link : links_) guarded(*link, [&] { link->collect_returns(pool_); });
  }

  [[nodiscard]] std::size_t live() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(links_, [](const auto& link) { return !link->closing(); }));
  }

  /// Whether everything that was sent has come back.
  [[nodiscard]] bool are_quiet() const noexcept {
    return std::ranges::all_of(links_, [](const auto& link) { return link->outstanding() == 0; });
  }

  /// Fills in what the links count.
  void count(PublisherStats& stats) const noexcept {
    stats.dropped = dropped_by_gone_;
    stats.peers = live();
    for (const auto& link : links_) {
      stats.dropped += link->dropped();
      stats.waiting += link->outstanding();
    }
  }

 private:
  friend struct TestAccess;

  template <class Is>
  [[nodiscard]] SenderLink* find_first(Is&& is) const noexcept {
    const auto link = std::ranges::find_if(links_, [&](const auto& each) { return is(*each); });
    return link == links_.end() ? nullptr : link->get();
  }

  SegmentPool& pool_;
  std::vector<Pointer> links_;
  std::uint64_t dropped_by_gone_ = 0;
};

}  // namespace memlane::detail
