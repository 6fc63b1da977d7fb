// A peer that speaks the protocol by hand, and may lie. It meets the ports of this very process at their door.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"

namespace memlane::test {

class RawPeer {
 public:
  enum class Manners { introduces_itself, says_nothing };

  explicit RawPeer(Manners manners = Manners::introduces_itself)
      : directory_(detail::directory_path({})), id_(detail::EndpointId::fresh()) {
    for (const std::string& name : detail::platform::list_folder(directory_.handle())) {
      const auto door = name.starts_with("door-") ? detail::EndpointId::parse(name.substr(5)) : std::nullopt;
      if (!door) continue;
      door_ = *door;
      connection_ = detail::platform::knock(directory_.ref(), name).connection;
    }
    if (!connection_) throw std::runtime_error("there is no door");
    if (manners == Manners::introduces_itself) say(hello());
  }

  [[nodiscard]] detail::MessageBytes hello() const {
    detail::HelloBody body{};
    body.endpoint[0] = id_.bits[0];
    body.endpoint[1] = id_.bits[1];
    body.door[0] = door_.bits[0];
    body.door[1] = door_.bits[1];
    body.pid = ::getpid();
    return detail::compose(detail::MessageType::hello, 0, 0, body);
  }

  bool say(std::span<const std::byte> bytes, std::initializer_list<int> handles = {}) const {
    const std::vector<int> all(handles);
    detail::platform::Sent sent{};
    EXPECT_TRUE(eventually([&] {
      sent = detail::platform::send_message(connection_, bytes, all);
      return sent == detail::platform::Sent::done || sent == detail::platform::Sent::gone;
    }));
    return sent == detail::platform::Sent::done;
  }
  /// The same, for more than a well-behaved peer ever has under way.
  bool say_at_length(std::span<const std::byte> bytes) const {
    constexpr int room = 1 << 20;
    EXPECT_EQ(::setsockopt(connection_.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    return say(bytes);
  }
  bool say(const detail::MessageBytes& message, std::initializer_list<int> handles = {}) const {
    return say(message.bytes(), handles);
  }

  template <class Body>
  bool say(detail::MessageType type, std::uint64_t from, std::uint64_t to, const Body& body,
           std::initializer_list<int> handles = {}) const {
    return say(detail::compose(type, from, to, body, static_cast<std::uint16_t>(handles.size())), handles);
  }
  bool say(detail::MessageType type, std::uint64_t from, std::uint64_t to) const {
    return say(detail::compose(type, from, to, std::span<const std::byte>{}));
  }

  struct Heard {
    detail::MessageHeader header{};
    std::vector<std::byte> body;
    std::vector<detail::platform::Handle> handles;
    [[nodiscard]] detail::MessageType type() const { return static_cast<detail::MessageType>(header.type); }
    template <class Body>
    [[nodiscard]] Body as() const {
      return detail::parse<Body>(body).value();
    }
  };

  /// The next message on a connection, or nothing if the other side hung up.
  [[nodiscard]] static std::optional<Heard> hear_on(const detail::platform::Handle& connection) {
    std::array<std::byte, detail::max_message> buffer;
    detail::platform::Arrived arrived;
    EXPECT_TRUE(eventually([&] {
      arrived = detail::platform::receive_message(connection, buffer);
      return arrived.kind != detail::platform::Arrived::Kind::nothing;
    })) << "nothing was said";
    if (arrived.kind != detail::platform::Arrived::Kind::message) return std::nullopt;
    Heard heard;
    std::memcpy(&heard.header, buffer.data(), sizeof heard.header);
    heard.body.assign(buffer.begin() + sizeof heard.header,
                      buffer.begin() + static_cast<std::ptrdiff_t>(arrived.bytes));
    heard.handles = std::move(arrived.handles);
    return heard;
  }
  [[nodiscard]] std::optional<Heard> hear() const { return hear_on(connection_); }

  /// Skips to a message of that type.
  [[nodiscard]] std::optional<Heard> hear(detail::MessageType type) const {
    for (;;) {
      auto heard = hear();
      if (!heard || heard->type() == type) return heard;
    }
  }

  [[nodiscard]] bool was_hung_up_on() const {
    while (hear()) {
    }
    return true;
  }

  [[nodiscard]] bool hears_nothing_for(std::chrono::milliseconds time) const {
    pollfd look{connection_.get(), POLLIN, 0};
    return ::poll(&look, 1, static_cast<int>(time.count())) == 0;
  }

  void hang_up() { connection_.reset(); }

  /// The numbers of the ports of a kind that are announced on a lane of this process.
  [[nodiscard]] std::vector<std::uint64_t> ports(const LaneName& lane, detail::PortKind kind) const {
    const auto folder = detail::platform::find_private_subfolder(
        directory_.handle(), detail::lane_folder_name(detail::lane_hash(lane.text())));
    std::vector<std::uint64_t> numbers;
    for (const std::string& name : detail::platform::list_folder(folder.value().get())) {
      const auto port = detail::parse_announcement_name(name);
      if (port && port->kind == kind) numbers.push_back(port->address.port);
    }
    return numbers;
  }

  [[nodiscard]] static detail::PortBody port_body(const LaneName& lane, detail::PortKind kind, std::uint32_t depth = 0,
                                                  Overflow overflow = Overflow::block) {
    detail::PortBody body{};
    const auto hash = detail::lane_hash(lane.text());
    body.lane[0] = hash[0];
    body.lane[1] = hash[1];
    body.kind = static_cast<std::uint8_t>(kind);
    body.overflow = static_cast<std::uint8_t>(overflow);
    body.depth = depth;
    body.pid = 4711;
    detail::put_text(body.label, "raw");
    return body;
  }

 private:
  detail::Directory directory_;
  detail::EndpointId id_;
  detail::EndpointId door_;
  detail::platform::Handle connection_;
};

/// A publisher by hand, linked with a subscriber of this process.
class RawPublisher {
 public:
  /// `change` may spoil the half before it is handed over.
  RawPublisher(const RawPeer& peer, const LaneName& lane, std::uint64_t subscriber, std::uint64_t number)
      : peer_(peer), lane_(lane), subscriber_(subscriber), number_(number) {
    peer_.say(detail::MessageType::invite, number_, subscriber_,
              RawPeer::port_body(lane_, detail::PortKind::publisher));
    auto half = peer_.hear(detail::MessageType::half);
    answer_ = half.value().as<detail::HalfBody>();
    memory_ = std::move(half->handles.at(0));
    bell_ = std::move(half->handles.at(1));
    receiver_half_ = detail::platform::map_foreign_memory(memory_, answer_.bytes, detail::platform::View::read_only);
    own_half_ = detail::make_sender_half(answer_.port.depth);
  }

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] detail::SenderHalf& half() { return *reinterpret_cast<detail::SenderHalf*>(own_half_.mapping.data()); }
  /// What the subscriber has taken so far.
  [[nodiscard]] std::uint64_t head() const {
    return reinterpret_cast<const detail::ReceiverHalf*>(receiver_half_.data())->head.load();
  }
  [[nodiscard]] const detail::platform::OwnedMemory& own_half() const { return own_half_; }
  [[nodiscard]] const detail::platform::Handle& bell() const { return bell_; }
  [[nodiscard]] detail::HalfBody half_body() const {
    detail::HalfBody body{};
    body.port = RawPeer::port_body(lane_, detail::PortKind::publisher);
    body.bytes = own_half_.mapping.size();
    return body;
  }

  void hand_over_half() {
    peer_.say(detail::MessageType::half, number_, subscriber_, half_body(),
              {own_half_.handle.get(), own_bell_.write_handle()});
  }

  /// Memory for payloads, known to the subscriber as segment `id`.
  void hand_over_segment(std::uint32_t id, std::size_t bytes = 4096) {
    segment_ = detail::platform::create_memory("raw", bytes);
    peer_.say(detail::MessageType::segment, number_, subscriber_, detail::SegmentBody{id, 0, bytes},
              {segment_.handle.get()});
  }
  [[nodiscard]] std::byte* payload() const { return segment_.mapping.data(); }

  /// A description of 100 bytes in segment 1, as it should be.
  [[nodiscard]] static detail::Descriptor good_descriptor() {
    detail::Descriptor descriptor{};
    descriptor.sequence = 1;
    descriptor.length = 100;
    descriptor.segment = 1;
    descriptor.ndim = 1;
    descriptor.shape[0] = 100;
    return descriptor;
  }

  void push(const detail::Descriptor& descriptor) {
    auto* const places =
        reinterpret_cast<detail::DescriptorWords*>(own_half_.mapping.data() + sizeof(detail::SenderHalf));
    places[tail_ % detail::ring_capacity(answer_.port.depth)].store(descriptor);
    half().tail = ++tail_;
    detail::platform::ForeignBell(detail::platform::Handle(::fcntl(bell_.get(), F_DUPFD_CLOEXEC, 0))).ring();
  }

 private:
  const RawPeer& peer_;
  LaneName lane_;
  std::uint64_t subscriber_;
  std::uint64_t number_;
  detail::HalfBody answer_{};
  detail::platform::Handle memory_;
  detail::platform::Handle bell_;
  detail::platform::Mapping receiver_half_;
  detail::platform::OwnedMemory own_half_;
  detail::platform::OwnedMemory segment_;
  detail::platform::Bell own_bell_;
  std::uint64_t tail_ = 0;
};

/// A subscriber by hand, linked with a publisher of this process.
class RawSubscriber {
 public:
  RawSubscriber(const RawPeer& peer, const LaneName& lane, std::uint64_t publisher, std::uint64_t number,
                std::uint32_t depth = 4, Overflow overflow = Overflow::block)
      : own_half_(detail::make_receiver_half(depth)) {
    detail::HalfBody body{};
    body.port = RawPeer::port_body(lane, detail::PortKind::subscriber, depth, overflow);
    body.bytes = own_half_.mapping.size();
    peer.say(detail::MessageType::half, number, publisher, body, {own_half_.handle.get(), own_bell_.write_handle()});
  }

  [[nodiscard]] detail::ReceiverHalf& half() {
    return *reinterpret_cast<detail::ReceiverHalf*>(own_half_.mapping.data());
  }

  void give_back(std::uint64_t position, std::uint64_t ticket) {
    auto* const entries =
        reinterpret_cast<detail::ReturnEntry*>(own_half_.mapping.data() + sizeof(detail::ReceiverHalf));
    detail::ReturnEntry& entry = entries[returned_];
    entry.position = position;
    entry.ticket = ticket;
    half().returns_tail = ++returned_;
  }

 private:
  detail::platform::OwnedMemory own_half_;
  detail::platform::Bell own_bell_;
  std::uint64_t returned_ = 0;
};

}  // namespace memlane::test
