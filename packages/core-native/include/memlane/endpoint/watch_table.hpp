// The connections that the service thread watches, and the processes behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "memlane/endpoint/connection.hpp"
#include "memlane/platform/door.hpp"
#include "memlane/platform/poller.hpp"
#include "memlane/roster/identity.hpp"

namespace memlane::detail {

struct Watched {
  std::shared_ptr<Connection> connection;
  std::optional<EndpointId> peer;  // known since hello
  platform::PeerProcess process;   // whole since hello
  platform::Handle death;          // pidfd; since hello
  std::uint64_t death_key = 0;
  std::string refusal;  // why the peer does without us
};

/// Has no lock: Contacts, its only owner, calls it under its own. What is in the table is in the poller, and the other way
/// round; a key is never used again, so an event that is late finds nothing.
class WatchTable {
 public:
  /// Keys from here on are the table's; those below are free for others in the poller.
  static constexpr std::uint64_t first_key = 2;

  /// `self`: whose death need not be heard.
  WatchTable(platform::Poller& poller, const EndpointId& self) noexcept : poller_(poller), self_(self) {}

  /// Watches a connection: to a peer, or of a newcomer who has not said who it is. If it throws, nothing was done.
  Watched& add(platform::Handle& socket, const std::optional<EndpointId>& peer) {
    const std::uint64_t key = next_key_++;
    auto connection = std::make_shared<Connection>(platform::Handle(), poller_, key);
    Watched& watched = all_.emplace(key, Watched{connection, peer, {}, {}, 0, {}}).first->second;
    if (!peer) ++newcomers_;
    connection->adopt(socket);
    try {
      if (peer) {
        identify(watched, *peer);
      } else {
        watched.process = platform::peer_process(connection->socket(), {});
      }
      poller_.add(connection->socket(), key);
    } catch (...) {
      connection->adopt(socket);  // back
      forget(key);
      throw;
    }
    return watched;
  }

  /// Who it is, and a watch on its death. For who has said hello: until then a connection costs one descriptor.
  /// It may be tried again where something was missing.
  void identify(Watched& watched, const EndpointId& peer) {
    const Connection& connection = *watched.connection;
    if (watched.death) return;
    platform::Handle death = platform::peer_death_handle(connection.socket());
    watched.process = platform::peer_process(connection.socket(), death);
    if (peer == self_ || !death) return;
    const std::uint64_t key = next_key_++;
    deaths_[key] = connection.key();
    try {
      poller_.add(death, key);
    } catch (...) {
      deaths_.erase(key);
      throw;
    }
    watched.death = std::move(death);
    watched.death_key = key;
  }

  /// A newcomer has said hello, and is believed.
  void introduce(Watched& newcomer, const EndpointId& peer) noexcept {
    newcomer.peer = peer;
    --newcomers_;
  }

  void forget(std::uint64_t key) noexcept {
    const auto watched = all_.find(key);
    if (watched == all_.end()) return;
    if (!watched->second.peer) --newcomers_;
    poller_.remove(watched->second.connection->socket());
    if (watched->second.death) {
      poller_.remove(watched->second.death);
      deaths_.erase(watched->second.death_key);
    }
    all_.erase(watched);
  }

  [[nodiscard]] Watched* find(std::uint64_t key) noexcept {
    const auto watched = all_.find(key);
    return watched == all_.end() ? nullptr : &watched->second;
  }
  [[nodiscard]] const Watched* find(std::uint64_t key) const noexcept {
    const auto watched = all_.find(key);
    return watched == all_.end() ? nullptr : &watched->second;
  }

  /// The connection whose process's death has that key.
  [[nodiscard]] std::optional<std::uint64_t> whose_death(std::uint64_t key) const noexcept {
    const auto death = deaths_.find(key);
    return death == deaths_.end() ? std::nullopt : std::optional(death->second);
  }

  /// By key: the oldest one first.
  [[nodiscard]] const std::map<std::uint64_t, Watched>& all() const noexcept { return all_; }

  /// How many have not said hello.
  [[nodiscard]] std::size_t newcomers() const noexcept { return newcomers_; }

 private:
  platform::Poller& poller_;
  const EndpointId& self_;
  std::uint64_t next_key_ = first_key;
  std::map<std::uint64_t, Watched> all_;           // by key
  std::map<std::uint64_t, std::uint64_t> deaths_;  // pidfd's key -> connection's key
  std::size_t newcomers_ = 0;
};

}  // namespace memlane::detail
