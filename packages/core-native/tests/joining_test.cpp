// Joining at its awkward moments, with a publisher that is played by hand. models/join.pml is a model of all of them.
#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "support/child_process.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"
#include "support/raw_peer.hpp"

namespace memlane {
namespace {

using detail::MessageType;
using detail::PortAddress;
using detail::PortKind;
using test::eventually;
using test::Peer;
using test::RawPeer;

/// A publisher that is announced, has a door, and sends one sample on a connection of its own, as one that joins at the same
/// moment as its subscriber does.
class CrossingPublisher {
 public:
  static constexpr std::size_t size = 1000;

  explicit CrossingPublisher(const LaneName& lane)
      : lane_(lane),
        directory_(detail::directory_path({})),
        id_(detail::EndpointId::fresh()),
        door_(detail::platform::open_door(directory_.ref(), id_.door_name())),
        folder_(directory_, lane, PortKind::publisher, PortAddress{id_, 1}, detail::Announcement{}) {}

  /// The subscriber has seen the announcement, has connected and offered its half.
  void let_the_subscriber_in() {
    // Who only looks whether somebody lives here says nothing.
    std::optional<RawPeer::Heard> hello;
    while (!hello) {
      ASSERT_TRUE(eventually(
          [&] { return detail::platform::accept_newcomer(door_, theirs_) == detail::platform::Accept::accepted; }));
      hello = RawPeer::hear_on(theirs_);
    }
    ASSERT_EQ(hello->header.type, static_cast<std::uint16_t>(MessageType::hello));
    const auto introduction = detail::parse<detail::HelloBody>(hello->body).value();
    subscriber_.endpoint = detail::EndpointId{{introduction.endpoint[0], introduction.endpoint[1]}};
    const auto half = RawPeer::hear_on(theirs_);
    ASSERT_TRUE(half);
    ASSERT_EQ(half->header.type, static_cast<std::uint16_t>(MessageType::half));
    subscriber_.port = half->header.from_port;
    offer_ = detail::parse<detail::HalfBody>(half->body).value();
  }

  /// It had called the subscriber, too, and answers on its own connection, which comes to the door behind that many others.
  void answer_and_send(std::size_t crowd) {
    while (crowd_.size() < crowd)
      crowd_.push_back(detail::platform::knock(directory_.ref(), subscriber_.endpoint.door_name()).connection);
    ours_ = detail::platform::knock(directory_.ref(), subscriber_.endpoint.door_name()).connection;
    ASSERT_TRUE(ours_);
    detail::HelloBody hello{};
    hello.endpoint[0] = id_.bits[0];
    hello.endpoint[1] = id_.bits[1];
    hello.door[0] = subscriber_.endpoint.bits[0];
    hello.door[1] = subscriber_.endpoint.bits[1];
    say(compose(MessageType::hello, 0, 0, hello));
    say(compose(MessageType::invite, 1, subscriber_.port, RawPeer::port_body(lane_, PortKind::publisher)));

    const auto segment = detail::platform::create_memory("payload", 4096);
    test::fill({segment.mapping.data(), size}, 1);
    say(compose(MessageType::segment, 1, subscriber_.port, detail::SegmentBody{1, 0, 4096}, 1), {segment.handle.get()});

    auto half = detail::make_sender_half(offer_.port.depth);
    detail::Descriptor descriptor{};
    descriptor.sequence = 1;
    descriptor.length = size;
    descriptor.segment = 1;
    descriptor.ndim = 1;
    descriptor.shape[0] = size;
    reinterpret_cast<detail::DescriptorWords*>(half.mapping.data() + sizeof(detail::SenderHalf))->store(descriptor);
    reinterpret_cast<detail::SenderHalf*>(half.mapping.data())->tail = 1;
    const detail::platform::Bell bell;
    detail::HalfBody answer{};
    answer.port = RawPeer::port_body(lane_, PortKind::publisher);
    answer.bytes = half.mapping.size();
    say(compose(MessageType::half, 1, subscriber_.port, answer, 2), {half.handle.get(), bell.write_handle()});
  }

  enum class Order { theirs_first, ours_first };
  void die(Order order) {
    door_.reset();
    (order == Order::theirs_first ? theirs_ : ours_).reset();
    theirs_.reset();
    ours_.reset();
  }

 private:
  void say(const detail::MessageBytes& message, std::initializer_list<int> handles = {}) const {
    EXPECT_EQ(detail::platform::send_message(ours_, message.bytes(), std::vector(handles)),
              detail::platform::Sent::done);
  }

  LaneName lane_;
  detail::Directory directory_;
  detail::EndpointId id_;
  detail::platform::Handle door_;
  detail::LaneFolder folder_;
  detail::platform::Handle theirs_;  // the connection that the subscriber made
  detail::platform::Handle ours_;
  std::vector<detail::platform::Handle> crowd_;
  PortAddress subscriber_;
  detail::HalfBody offer_{};
};

// The death is heard on the connection that the subscriber made, while the one with the sample still waits at its door.
TEST(Joining, what_a_publisher_sent_on_a_crossing_connection_before_its_death_arrives) {
  for (const std::size_t crowd : {0U, 40U}) {
    for (const auto order : {CrossingPublisher::Order::theirs_first, CrossingPublisher::Order::ours_first}) {
      SCOPED_TRACE(crowd);
      CrossingPublisher publisher("lane");
      Peer subscriber;
      subscriber.say("sub s lane");
      publisher.let_the_subscriber_in();
      subscriber.freeze();
      publisher.answer_and_send(crowd);
      publisher.die(order);
      subscriber.thaw();
      EXPECT_EQ(subscriber.hear(), "ok");
      EXPECT_EQ(subscriber.ask("take s 20000"), "ok 1 " + std::to_string(CrossingPublisher::size));
      EXPECT_EQ(subscriber.ask("take s 0"), "ok none");
      subscriber.ask("close s");
    }
  }
}

// Each one that leaves may be the last, or find that it is not when it has begun to clear up. models/lane_folder.pml.
TEST(Leaving, of_many_that_come_and_go_at_once_nobody_leaves_the_folder_behind) {
  const detail::Directory directory(detail::directory_path({}));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&] {
      const auto id = detail::EndpointId::fresh();
      for (std::uint64_t i = 1; i <= 300; ++i) {
        detail::LaneFolder folder(directory, LaneName("lane"), PortKind::subscriber, PortAddress{id, i}, {});
        folder.leave();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(test::names_in_lane_directory().empty());
}

}  // namespace
}  // namespace memlane
