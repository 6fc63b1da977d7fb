// Whom this process knows: the processes that it shares a lane with, which connections lead to each, and whether each is who
// it says it is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "memlane/endpoint/peer.hpp"
#include "memlane/endpoint/watch_table.hpp"
#include "memlane/platform/clock.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/process.hpp"
#include "memlane/roster/directory.hpp"

namespace memlane::detail {

[[nodiscard]] inline platform::PeerProcess process_behind(const platform::Handle& connection) {
  return platform::peer_process(connection, platform::peer_death_handle(connection));
}

/// reach() is called from any thread, the rest by the service thread. The mutex may be taken under a port's; under it, those
/// of a connection or a peer are taken, and no port is called.
class Contacts {
 public:
  /// Connections that have not said hello.
  static constexpr std::size_t most_newcomers = 128;

  Contacts(const Directory& directory, const EndpointId& self, platform::Poller& poller) noexcept
      : directory_(directory), self_(self), watched_(poller, self) {}

  [[nodiscard]] const EndpointId& self() const noexcept { return self_; }

  // ---- calling others ----

  struct Reached {
    platform::Knock outcome;
    std::shared_ptr<Peer> peer;  // if answered
  };

  /// The process behind a door; connects and introduces itself if it is not known yet. Never waits.
  [[nodiscard]] Reached reach(const EndpointId& door) {
    const std::lock_guard lock(mutex_);
    const auto known = peers_.find(door);
    if (known != peers_.end() && (known->second->is_proved() || door == self_))
      return {platform::Knock::answered, known->second};
    auto knocked = platform::knock(directory_.ref(), door.door_name());
    if (known != peers_.end()) {
      // It came by itself, and gave this name. Only now does it matter whether the name is its own.
      if (knocked.outcome == platform::Knock::answered) {
        if (!comes_from(*known->second, process_behind(knocked.connection))) {
          for (const auto& connection : known->second->connections()) platform::stop_receiving(connection->socket());
          return {platform::Knock::busy, nullptr};  // until the service thread has heard the hang-up
        }
        known->second->prove();
      }
      return {platform::Knock::answered, known->second};
    }
    if (knocked.outcome != platform::Knock::answered) return {knocked.outcome, nullptr};
    const MessageBytes hello = hello_to(door);
    const Watched& watched = watched_.add(knocked.connection, door);
    const auto connection = watched.connection;
    try {
      auto peer = std::make_shared<Peer>(door, connection, allowance_of(watched.process));
      peer->prove();
      peers_.emplace(door, peer);
      connection->send(hello);
      fault_point("hello.sent");
      return {platform::Knock::answered, std::move(peer)};
    } catch (...) {
      watched_.forget(connection->key());
      throw;
    }
  }

  // ---- newcomers ----

  /// If it throws, the socket is still the caller's.
  [[nodiscard]] std::shared_ptr<Connection> watch_newcomer(platform::Handle& socket) {
    const std::lock_guard lock(mutex_);
    return watched_.add(socket, std::nullopt).connection;
  }

  /// Those who have not said who they are.
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> silent_ones() const {
    std::vector<std::shared_ptr<Connection>> silent;
    const std::lock_guard lock(mutex_);
    for (const auto& [key, watched] : watched_.all()) {
      if (!watched.peer) silent.push_back(watched.connection);
    }
    return silent;
  }

  /// If too many newcomers say nothing: the oldest one of the process that has the most of them.
  [[nodiscard]] std::shared_ptr<Connection> silent_one_too_many() const {
    const std::lock_guard lock(mutex_);
    if (watched_.newcomers() <= most_newcomers) return nullptr;
    std::map<std::int64_t, std::vector<std::shared_ptr<Connection>>> silent;  // by pid
    for (const auto& [key, watched] : watched_.all()) {
      if (!watched.peer) silent[watched.process.pid].push_back(watched.connection);
    }
    const auto most = std::ranges::max_element(silent, {}, [](const auto& each) { return each.second.size(); });
    return most->second.front();
  }

  /// Somebody else who gave a newcomer's name before, if the door of that name says that it is the newcomer's.
  [[nodiscard]] std::shared_ptr<Connection> find_impostor(const Connection& newcomer, const EndpointId& id) const {
    const std::lock_guard lock(mutex_);
    const auto known = peers_.find(id);
    if (known == peers_.end() || known->second->is_proved()) return nullptr;
    const platform::PeerProcess process = process_behind(newcomer.socket());
    if (comes_from(*known->second, process)) return nullptr;
    const auto knocked = platform::knock(directory_.ref(), id.door_name());
    const bool is_its_own =
        knocked.outcome == platform::Knock::answered && process_behind(knocked.connection).may_be(process);
    return is_its_own ? known->second->connections().front() : nullptr;
  }

  /// A newcomer has said who it is. False: not one to talk to.
  [[nodiscard]] bool admit(const Connection& connection, const EndpointId& id) {
    const std::lock_guard lock(mutex_);
    Watched* const newcomer = watched_.find(connection.key());
    if (newcomer == nullptr || newcomer->peer) return false;
    const platform::PeerProcess process = process_behind(connection.socket());
    if (id == self_ && process.pid != platform::process_id()) return false;
    if (process.is_known() && connections_of(process) >= most_of_one_process) return false;
    const auto known = peers_.find(id);
    if (known != peers_.end() && !comes_from(*known->second, process)) return false;  // the name is another's
    watched_.identify(*newcomer, id);
    if (known != peers_.end()) {
      known->second->add(newcomer->connection);
    } else {
      peers_.emplace(id, std::make_shared<Peer>(id, newcomer->connection, allowance_of(process)));
    }
    watched_.introduce(*newcomer, id);  // from here on nothing fails: what failed is tried again
    fault_point("hello.heard");
    return true;
  }

  // ---- events and messages ----

  struct Stirred {
    std::shared_ptr<Connection> connection;  // none: it is forgotten
    bool process_ended = false;              // the event is the end of its process
  };

  /// What an event of the poller is about.
  [[nodiscard]] Stirred find(std::uint64_t key) const {
    const std::lock_guard lock(mutex_);
    const auto dead = watched_.whose_death(key);
    const Watched* const watched = watched_.find(dead.value_or(key));
    return watched == nullptr ? Stirred{} : Stirred{watched->connection, dead.has_value()};
  }

  struct Speaker {
    bool is_watched = false;     // false: what it says does not matter any more
    std::shared_ptr<Peer> peer;  // none: it has not said who it is, or is over
  };

  [[nodiscard]] Speaker speaker_of(const Connection& connection) const {
    const std::lock_guard lock(mutex_);
    const Watched* const watched = watched_.find(connection.key());
    if (watched == nullptr) return {};
    const auto known = watched->peer ? peers_.find(*watched->peer) : peers_.end();
    return {true, known == peers_.end() ? nullptr : known->second};
  }

  /// Why the peer does without us, for whoever hears of its end.
  void note_refusal(const Connection& connection, std::string_view reason) {
    const std::lock_guard lock(mutex_);
    if (Watched* const watched = watched_.find(connection.key())) watched->refusal = reason;
  }

  // ---- connections that wait for room ----

  /// When the next one should be flushed though its socket never says so, or `never`.
  [[nodiscard]] std::int64_t next_flush_at() const {
    std::int64_t next = platform::never;
    const std::lock_guard lock(mutex_);
    for (const auto& [key, watched] : watched_.all()) {
      if (const std::int64_t at = watched.connection->retry_at(); at != 0) next = std::min(next, at);
    }
    return next;
  }

  /// Those for which that time is over.
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> to_flush(std::int64_t now) const {
    std::vector<std::shared_ptr<Connection>> due;
    const std::lock_guard lock(mutex_);
    for (const auto& [key, watched] : watched_.all()) {
      if (const std::int64_t at = watched.connection->retry_at(); at != 0 && at <= now)
        due.push_back(watched.connection);
    }
    return due;
  }

  // ---- ends ----

  /// Whether its peer may have made a connection too that we have not heard of: two that call each other at the same moment
  /// both do.
  [[nodiscard]] bool may_have_another(const Connection& connection) const {
    const std::lock_guard lock(mutex_);
    const Watched* const watched = watched_.find(connection.key());
    if (watched == nullptr || !watched->peer || *watched->peer == self_) return false;
    const auto known = peers_.find(*watched->peer);
    return known != peers_.end() && known->second->connections().size() == 1;
  }

  /// A peer that is over: the ports must hear of it before it is forgotten.
  struct Lost {
    EndpointId id;
    std::string why;  // it lives, and does without us
    std::vector<std::shared_ptr<Connection>> connections;
  };

  /// A connection is over. If a peer is over with it: that one; otherwise the connection is forgotten.
  [[nodiscard]] std::optional<Lost> lost_with(const Connection& connection) {
    const std::lock_guard lock(mutex_);
    const Watched* const watched = watched_.find(connection.key());
    if (watched == nullptr) return std::nullopt;
    const auto known = watched->peer ? peers_.find(*watched->peer) : peers_.end();
    // Our own connection to ourselves ends only with us.
    if (known == peers_.end() || known->first == self_) {
      watched_.forget(connection.key());
      return std::nullopt;
    }
    return Lost{known->first, watched->refusal, known->second->connections()};
  }

  void forget(const Lost& peer) noexcept {
    const std::lock_guard lock(mutex_);
    peers_.erase(peer.id);
    for (const auto& each : peer.connections) watched_.forget(each->key());
  }

  // ---- our own end, when the service thread is gone ----

  /// Sends what is still queued, for a while.
  void say_last_words() noexcept {
    const std::lock_guard lock(mutex_);
    const std::int64_t until = platform::monotonic_now() + last_words;
    for (const auto& [key, watched] : watched_.all()) {
      while (watched.connection->has_queued() && platform::monotonic_now() < until) {
        watched.connection->flush();
        if (watched.connection->has_queued()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  }

  void hang_up() noexcept {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, watched] : watched_.all()) platform::hang_up(watched.connection->socket());
  }

 private:
  // Connections of one process that have said hello. It needs one for each copy of this library in it; those that it has just
  // closed may not have been heard to hang up yet.
  static constexpr std::ptrdiff_t most_of_one_process = 64;
  static constexpr std::int64_t last_words = 1'000'000'000;  // nanoseconds for queued messages when the endpoint ends

  [[nodiscard]] MessageBytes hello_to(const EndpointId& door) const {
    HelloBody hello{};
    hello.endpoint[0] = self_.bits[0];
    hello.endpoint[1] = self_.bits[1];
    hello.door[0] = door.bits[0];
    hello.door[1] = door.bits[1];
    hello.pid = platform::process_id();
    put_text(hello.process, platform::process_name());
    return compose(MessageType::hello, 0, 0, hello);
  }

  /// The one of the process, if another endpoint of it is known. Under mutex_.
  [[nodiscard]] std::shared_ptr<Allowance> allowance_of(const platform::PeerProcess& process) const {
    if (process.pid == platform::process_id()) return std::make_shared<Allowance>(Allowance::Limit::none);
    if (!process.is_known()) return std::make_shared<Allowance>();
    for (const auto& [key, watched] : watched_.all()) {
      if (!watched.peer || !watched.process.is_known() || !watched.process.may_be(process)) continue;
      if (const auto peer = peers_.find(*watched.peer); peer != peers_.end()) return peer->second->allowance();
    }
    return std::make_shared<Allowance>();
  }

  /// Those that have said hello. Under mutex_.
  [[nodiscard]] std::ptrdiff_t connections_of(const platform::PeerProcess& process) const {
    return std::ranges::count_if(watched_.all(), [&](const auto& each) {
      const platform::PeerProcess& other = each.second.process;
      return each.second.peer && other.is_known() && other.may_be(process);
    });
  }

  /// Whether a peer's connections may come from that process. Under mutex_.
  [[nodiscard]] bool comes_from(const Peer& peer, const platform::PeerProcess& process) const {
    return std::ranges::all_of(peer.connections(), [&](const auto& connection) {
      const Watched* const watched = watched_.find(connection->key());
      return watched == nullptr || watched->process.may_be(process);
    });
  }

  const Directory& directory_;
  const EndpointId& self_;
  mutable std::mutex mutex_;
  WatchTable watched_;
  std::map<EndpointId, std::shared_ptr<Peer>> peers_;
};

}  // namespace memlane::detail
