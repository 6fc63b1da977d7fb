// The door of this process, and those who come to it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "memlane/endpoint/contacts.hpp"
#include "memlane/endpoint/retries.hpp"
#include "memlane/platform/clock.hpp"
#include "memlane/platform/door.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/poller.hpp"
#include "memlane/roster/directory.hpp"

namespace memlane::detail {

/// For one thread at a time and without a lock: whoever makes the endpoint, then the service thread, then whoever ends it.
///
/// Whoever was accepted is watched, now or later: it has no other way to us, and would take a closed connection for our
/// death. While the system lacks what is needed for that, or hangs in closing what earlier ones had sent, newcomers wait in
/// the door's queue.
class Doorkeeper {
 public:
  /// The door's key in the poller.
  static constexpr std::uint64_t key = 1;
  static_assert(key < WatchTable::first_key);

  /// Opens the door. Whoever makes this must take its name away again.
  Doorkeeper(const Directory& directory, platform::Poller& poller, Contacts& contacts)
      : directory_(directory),
        poller_(poller),
        contacts_(contacts),
        name_(contacts.self().door_name()),
        door_(platform::open_door(directory.ref(), name_)) {
    try {
      poller_.add(door_, key);
    } catch (...) {
      take_name_away();
      throw;
    }
  }

  void take_name_away() const noexcept { platform::remove_file(directory_.handle(), name_); }
  void close() noexcept { door_.reset(); }

  /// Somebody who came to the door. Without a connection: it was turned away.
  using Newcomer = std::shared_ptr<Connection>;

  /// The next one who waits at the door, if there is one.
  [[nodiscard]] std::optional<Newcomer> answer() {
    if (unwatched_.size() >= Contacts::most_newcomers || platform::strangers_pile_up()) return shut_for_a_while();
    unwatched_.reserve(unwatched_.size() + 1);  // whoever is accepted has a place
    platform::Handle socket;
    switch (platform::accept_newcomer(door_, socket)) {
      case platform::Accept::nobody_waits: return std::nullopt;
      case platform::Accept::no_descriptor_left: return shut_for_a_while();
      case platform::Accept::accepted: break;
    }
    if (!platform::peer_is_let_in(socket, directory_.access())) return Newcomer();
    unwatched_.push_back(std::move(socket));
    Newcomer newcomer = watch_them();
    fault_point("door.accepted");
    return newcomer;
  }

  /// When there is something to do for the two below, or `never`.
  [[nodiscard]] std::int64_t next_at() const noexcept { return std::min(reopen_at_, watch_at_); }

  /// Opens the door again, if it is time.
  void reopen_due(std::int64_t now) {
    if (reopen_at_ > now) return;
    reopen_at_ = now + shut_pause;  // if this fails, too
    poller_.add(door_, key);
    reopen_at_ = platform::never;
  }

  /// Watches whom it could not watch, if it is time.
  void watch_due(std::int64_t now) {
    if (watch_at_ <= now) watch_them();
  }

 private:
  /// Nanoseconds until a door is opened again that had to be shut.
  static constexpr std::int64_t shut_pause = 100'000'000;

  /// Looking on would spin.
  std::nullopt_t shut_for_a_while() noexcept {
    poller_.remove(door_);
    reopen_at_ = platform::monotonic_now() + shut_pause;
    return std::nullopt;
  }

  /// Returns the one that came last.
  Newcomer watch_them() {
    Newcomer last;
    while (!unwatched_.empty()) {
      watch_at_ = platform::monotonic_now() + Retries::pause;
      auto watched = contacts_.watch_newcomer(unwatched_.back());
      unwatched_.pop_back();
      if (!last) last = std::move(watched);
    }
    watch_at_ = platform::never;
    return last;
  }

  const Directory& directory_;
  platform::Poller& poller_;
  Contacts& contacts_;
  std::string name_;
  platform::Handle door_;
  std::vector<platform::Handle> unwatched_;  // newcomers for whom something was missing
  std::int64_t watch_at_ = platform::never;
  std::int64_t reopen_at_ = platform::never;
};

}  // namespace memlane::detail
