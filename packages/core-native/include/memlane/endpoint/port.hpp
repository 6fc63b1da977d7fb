// What the service thread knows of a port.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "memlane/endpoint/peer.hpp"
#include "memlane/layout/message.hpp"
#include "memlane/roster/identity.hpp"

namespace memlane::detail {

/// A message for a port, its header checked. `handles` are taken by who needs them; the rest is closed.
struct PortMessage {
  MessageType type;
  std::uint64_t from_port;
  std::span<const std::byte> body;
  std::span<platform::Handle> handles;
  bool handles_lost;  ///< some of them could not be received: this process had no descriptor left for them
};

/// Thrown by a port for a message whose handles did not arrive: it ends the link that the message was for.
[[noreturn]] inline void fail_for_lost_handles() {
  throw Error(ErrorCode::descriptor_limit,
              "no descriptor was left for a peer's handles (raise ulimit -n), or a security module kept them");
}

/// Called by the service thread only, one call at a time, and never under a lock of the endpoint.
class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  /// Must not throw: what it cannot do with a message it tells the peer.
  virtual void on_message(const std::shared_ptr<Peer>& peer, const PortMessage& message) noexcept = 0;
  /// The process is gone, and everything it had sent was handed to on_message before; or, with a reason, it lives and does
  /// without us.
  virtual void on_peer_gone(const EndpointId& peer, std::string_view why) noexcept = 0;
  /// A door that was busy, or a peer that was crowded, should be tried again.
  virtual void on_retry(const PortAddress& address) = 0;
  /// There may be room in a connection again.
  virtual void on_room() noexcept = 0;

  /// Whether only the calling thread ever takes from this port. Unlike the rest: from any thread, under any lock.
  [[nodiscard]] virtual bool is_confined_to_caller() const noexcept { return false; }
};

}  // namespace memlane::detail
