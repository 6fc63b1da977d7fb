// What the service thread knows of a port.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

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
              "handles of a peer were lost on the way: this process has reached its limit of open files (raise ulimit "
              "-n), or a security module kept them");
}

/// Called by the service thread only, one call at a time, and never under a lock of the endpoint.
class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  virtual void on_message(const std::shared_ptr<Peer>& peer, const PortMessage& message) = 0;
  /// The process is gone, and everything it had sent was handed to on_message before.
  virtual void on_peer_gone(const EndpointId& peer) = 0;
  /// A door that was busy should be tried again.
  virtual void on_retry(const PortAddress& address) = 0;

  /// Whether only the calling thread ever takes from this port. Unlike the rest: from any thread, under any lock.
  [[nodiscard]] virtual bool is_confined_to_caller() const noexcept { return false; }
};

}  // namespace memlane::detail
