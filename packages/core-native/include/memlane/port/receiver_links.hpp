// The links of a receiving port: who is linked, whose turn it is, and what all of them have together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "memlane/options.hpp"
#include "memlane/port/receiver_link.hpp"

namespace memlane::detail {

/// Has no lock: its port's mutex is held. One link for each sender; what a link that is gone had counted stays counted. A link
/// that is found corrupt by a look that asks all of them counts as one with nothing in it, and is left to the next take from
/// it: else it would be blamed on whichever link is just being looked at.
class ReceiverLinks {
 public:
  using Pointer = std::shared_ptr<ReceiverLink>;

  [[nodiscard]] auto begin() const noexcept { return links_.begin(); }
  [[nodiscard]] auto end() const noexcept { return links_.end(); }
  [[nodiscard]] bool empty() const noexcept { return links_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return links_.size(); }

  [[nodiscard]] Pointer find(const PortAddress& address) const noexcept {
    const auto link = std::ranges::find_if(links_, [&](const auto& each) { return each->address() == address; });
    return link == links_.end() ? nullptr : *link;
  }

  /// So that the next add() cannot fail.
  void make_place() { links_.reserve(links_.size() + 1); }
  void add(Pointer link) noexcept { links_.push_back(std::move(link)); }

  /// Returns the link, which is freed with the last pointer to it; nothing if it is gone already. Nobody loses a turn.
  Pointer remove(const ReceiverLink& link) noexcept {
    const auto found = std::ranges::find(links_, &link, &Pointer::get);
    if (found == links_.end()) return nullptr;
    dropped_by_gone_ += link.dropped();
    if (std::cmp_less(found - links_.begin(), next_)) --next_;
    Pointer removed = std::move(*found);
    links_.erase(found);
    return removed;
  }

  template <class Is>
  void remove_if(Is&& is) {
    std::erase_if(links_, [&](const Pointer& link) { return is(std::as_const(*link)); });
  }

  /// All in turn, from call to call. There must be one.
  [[nodiscard]] Pointer next() noexcept {
    if (next_ >= links_.size()) next_ = 0;
    return links_[next_++];
  }

  [[nodiscard]] std::size_t live() const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(links_, [](const auto& link) { return link->takes() && !link->has_left(); }));
  }

  /// Whether a take from one of them would find something, be it that the link is corrupt.
  [[nodiscard]] bool can_take() const {
    return std::ranges::any_of(links_, [](const auto& link) {
      try {
        return link->can_take();
      } catch (const Corruption&) {
        return true;
      }
    });
  }

  /// Whether nothing comes any more from those that there are. A link that is not up yet is no idle one: its sender may have sent,
  /// and even left, before its half arrives here.
  [[nodiscard]] bool are_idle() const noexcept {
    return std::ranges::all_of(
        links_, [](const auto& link) { return link->was_given_up() || (link->has_left() && !waits_in(*link)); });
  }

  /// Whether something that was sent may still be on its way to our service thread.
  [[nodiscard]] bool is_one_on_the_way() const noexcept {
    return std::ranges::any_of(links_, [](const auto& link) { return link->is_on_the_way(); });
  }

  /// Fills in what the links count.
  void count(SubscriberStats& stats) const noexcept {
    stats.dropped = dropped_by_gone_;
    stats.peers = live();
    for (const auto& link : links_) {
      stats.dropped += link->dropped();
      stats.held += link->held();
      stats.waiting += waiting_in(*link);
    }
  }

  /// Whether something waits in a link; in a corrupt one, nothing does.
  [[nodiscard]] static bool waits_in(ReceiverLink& link) noexcept {
    try {
      return link.anything_waits();
    } catch (const std::exception&) {
      return false;
    }
  }

 private:
  friend struct TestAccess;

  [[nodiscard]] static std::uint64_t waiting_in(ReceiverLink& link) noexcept {
    try {
      return link.waiting();
    } catch (const std::exception&) {
      return 0;
    }
  }

  std::vector<Pointer> links_;
  std::size_t next_ = 0;  // whose turn it is
  std::uint64_t dropped_by_gone_ = 0;
};

}  // namespace memlane::detail
