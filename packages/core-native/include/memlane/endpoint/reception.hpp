// What others send to this process, and their ends: heard, checked, and handed to the ports.
//
// Called by the service thread only; no lock is held when a port is called. models/join.pml is a model of this.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include "memlane/endpoint/burials.hpp"
#include "memlane/endpoint/contacts.hpp"
#include "memlane/endpoint/doorkeeper.hpp"
#include "memlane/endpoint/port_table.hpp"
#include "memlane/layout/message.hpp"
#include "memlane/platform/door.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/poller.hpp"

namespace memlane::detail {

class Reception {
 public:
  Reception(Doorkeeper& door, Contacts& contacts, const PortTable& ports, Burials& burials) noexcept
      : door_(door), contacts_(contacts), ports_(ports), burials_(burials) {}

  /// Something has happened at a connection, or to the process behind it.
  void handle(const platform::Poller::Event& event) {
    const auto [connection, process_ended] = contacts_.find(event.key);
    if (!connection) return;
    if (event.writable) flush(*connection);
    if (event.readable) receive_all(connection, process_ended);
  }

  /// Sends what waits, and tells the ports of room that they had wanted.
  void flush(Connection& connection) {
    const auto ports = ports_.all();
    if (!connection.flush()) return;
    for (const auto& port : ports) port->on_room();
  }

  /// False: perhaps not all. A bounded number at a time, so that a crowd at the door does not keep the others waiting.
  bool let_newcomers_in() {
    for (int i = 0; i < most_at_a_time; ++i) {
      const auto newcomer = door_.answer();
      if (!newcomer) return true;
      if (!*newcomer) continue;
      // Who is honest has said hello by now, or is being held up between two system calls.
      receive_all(*newcomer, false);
      if (const auto silent = contacts_.silent_one_too_many()) lose(silent);
    }
    return false;
  }

 private:
  static constexpr int most_attempts = 100;  // to take in a message, 1 ms apart
  static constexpr int most_at_a_time = 16;  // newcomers let in before others are attended to
  static constexpr int most_crowds = 256;    // of them in the door's queue: the system limits it to fewer

  // ---- messages ----

  void receive_all(const std::shared_ptr<Connection>& connection, bool process_ended) {
    if (process_ended) platform::stop_receiving(connection->socket());  // a child of it may go on sending
    alignas(MessageHeader) std::array<std::byte, max_message>
        buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): only received into
    // A few at a time: the answers to more than fit into a connection would have to be kept, handles and all.
    for (int i = 0; process_ended || i < 16; ++i) {
      auto arrived = platform::receive_message(connection->socket(), buffer);
      switch (arrived.kind) {
        case platform::Arrived::Kind::nothing:
          if (process_ended) return lose(connection);
          return;
        case platform::Arrived::Kind::hang_up: return lose(connection);
        case platform::Arrived::Kind::malformed: return expel(connection);
        case platform::Arrived::Kind::message:
          if (!take_in(connection, std::span(buffer).first(arrived.bytes), arrived)) return expel(connection);
          if (!connection->bears_strangers(arrived.strangers)) {
            connection->send(refusal("it gets descriptors that are neither memory nor a pipe"));
            return expel(connection);
          }
      }
    }
  }

  /// As dispatch(), tried again for a moment where the system lacks something: the message is out of the connection, and a
  /// peer that is not answered would wait for ever.
  bool take_in(const std::shared_ptr<Connection>& connection, std::span<const std::byte> message,
               platform::Arrived& arrived) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      try {
        return dispatch(*connection, message, arrived);
      } catch (const std::exception&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    connection->send(refusal("it lacks memory or descriptors"));
    return false;
  }

  /// False: the peer does not speak our language, and the connection must go.
  bool dispatch(Connection& connection, std::span<const std::byte> message, platform::Arrived& arrived) {
    MessageHeader header{};
    if (message.size() < sizeof header) return false;
    std::memcpy(&header, message.data(), sizeof header);
    if (header.magic != message_magic) return false;
    if (header.version != layout_version) {
      connection.send(refusal("another layout version"));
      return false;
    }
    if (header.bytes != message.size() || header.handles > platform::max_handles) return false;
    if (arrived.handles_lost ? arrived.handles.size() >= header.handles : arrived.handles.size() != header.handles)
      return false;
    const auto body = message.subspan(sizeof header);
    const auto type = static_cast<MessageType>(header.type);

    if (type == MessageType::hello) return on_hello(connection, body);

    const auto [is_watched, peer] = contacts_.speaker_of(connection);
    if (!is_watched) return true;
    if (!peer) return false;
    if (type == MessageType::refuse) {
      if (const auto refused = parse<RefuseBody>(body)) contacts_.note_refusal(connection, get_text(refused->reason));
      return false;
    }
    if (const auto port = ports_.find(header.to_port)) {
      port->on_message(peer, {type, header.from_port, body, arrived.handles, arrived.handles_lost});
    } else if (type == MessageType::invite || type == MessageType::half) {
      peer->send(compose(MessageType::gone, header.to_port, header.from_port, std::span<const std::byte>{}));
      fault_point("gone.sent");
    }
    return true;
  }

  static MessageBytes refusal(std::string_view reason) noexcept {
    RefuseBody body{};
    body.version = layout_version;
    put_text(body.reason, reason);
    return compose(MessageType::refuse, 0, 0, body);
  }

  /// False: not one to talk to.
  bool on_hello(const Connection& connection, std::span<const std::byte> body) {
    const auto hello = parse<HelloBody>(body);
    // A planted name may have led it here; what it wants is for another's ports.
    if (!hello || EndpointId{{hello->door[0], hello->door[1]}} != contacts_.self()) return false;
    const EndpointId id{{hello->endpoint[0], hello->endpoint[1]}};
    if (const auto impostor = contacts_.find_impostor(connection, id)) {
      const AtTheDoor busy(*this);  // nobody there is heard: what the newcomer says next would come before its hello
      lose(impostor);
    }
    return contacts_.admit(connection, id);
  }

  // ---- ends ----

  /// The connection is over, and with it its peer. What the peer had sent on its other connection is heard first, even if
  /// that one still waits at the door. If the system lacks something for a step, the connection is still watched, says so
  /// again, and all is done again.
  void lose(const std::shared_ptr<Connection>& connection) {
    if (contacts_.may_have_another(*connection)) hear_newcomers();
    const auto lost = contacts_.lost_with(*connection);
    if (!lost) return;
    // Before the ports hear of it: a port that offers a link at this moment either fails to send, or is told after it.
    for (const auto& each : lost->connections) each->mark_gone();
    fault_point("death.heard");
    for (const auto& other : lost->connections) {
      if (other != connection) drain(other);
    }
    for (const auto& port : ports_.all()) port->on_peer_gone(lost->id, lost->why);
    fault_point("death.told");
    contacts_.forget(*lost);
    burials_.add(lost->id);
  }

  /// The same, of a peer that does not keep to the protocol.
  void expel(const std::shared_ptr<Connection>& connection) {
    connection->distrust();
    lose(connection);
  }

  /// Hears everybody who has come to the door and has not said who it is.
  void hear_newcomers() {
    if (at_the_door_) return;  // one that has come and gone is lost on the way: no need to begin again
    const AtTheDoor busy(*this);
    for (int crowds = 0; crowds < most_crowds && !let_newcomers_in(); ++crowds) {
    }
    for (const auto& newcomer : contacts_.silent_ones()) receive_all(newcomer, false);
  }

  /// Hears the last messages of a peer.
  void drain(const std::shared_ptr<Connection>& connection) {
    // What it has sent, and not what a process that lives on goes on sending.
    platform::stop_receiving(connection->socket());
    alignas(MessageHeader) std::array<std::byte, max_message> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (;;) {
      auto arrived = platform::receive_message(connection->socket(), buffer);
      if (arrived.kind != platform::Arrived::Kind::message) return;
      if (!take_in(connection, std::span(buffer).first(arrived.bytes), arrived) ||
          !connection->bears_strangers(arrived.strangers)) {
        return connection->distrust();
      }
    }
  }

  /// While one is there, hear_newcomers() does nothing.
  class AtTheDoor {
   public:
    explicit AtTheDoor(Reception& reception) noexcept
        : there_(reception.at_the_door_), before_(std::exchange(there_, true)) {}
    AtTheDoor(const AtTheDoor&) = delete;
    AtTheDoor& operator=(const AtTheDoor&) = delete;
    ~AtTheDoor() { there_ = before_; }

   private:
    bool& there_;
    bool before_;
  };

  Doorkeeper& door_;
  Contacts& contacts_;
  const PortTable& ports_;
  Burials& burials_;
  bool at_the_door_ = false;
};

}  // namespace memlane::detail
