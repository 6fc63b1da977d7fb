// A process at the other end of a connection that reads and forgets what it is told.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "memlane/endpoint/peer.hpp"

namespace memlane::fuzz {

class FarEnd {
 public:
  FarEnd() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
      throw std::runtime_error("no socket");
    far_ = detail::platform::Handle(ends[1]);
    connection_ = std::make_shared<detail::Connection>(detail::platform::Handle(ends[0]), poller_, 1);
    poller_.add(connection_->socket(), 1);
    peer_ =
        std::make_shared<detail::Peer>(detail::EndpointId{{1, 2}}, connection_, std::make_shared<detail::Allowance>());
  }

  [[nodiscard]] const std::shared_ptr<detail::Peer>& peer() const { return peer_; }

  void listen() {
    std::array<std::byte, detail::max_message> heard;
    do {
      while (::recv(far_.get(), heard.data(), heard.size(), MSG_DONTWAIT) > 0) {
      }
      if (connection_->has_queued()) connection_->flush();
    } while (connection_->has_queued());
  }

 private:
  detail::platform::Poller poller_;
  detail::platform::Handle far_;
  std::shared_ptr<detail::Connection> connection_;
  std::shared_ptr<detail::Peer> peer_;
};

}  // namespace memlane::fuzz
