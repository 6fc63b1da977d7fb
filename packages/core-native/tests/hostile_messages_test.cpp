// Messages that make no sense, and crowds at the door.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "support/emulation.hpp"
#include "support/hostile.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"
#include "support/raw_peer.hpp"

namespace memlane {
namespace {

using detail::MessageBytes;
using detail::MessageType;
using detail::PortKind;
using test::Hostile;
using test::patience;
using test::RawPeer;

TEST_F(Hostile, nonsense_is_hung_up_on) {
  const MessageBytes good = RawPeer().hello();
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    MessageBytes message = good;
    message.storage[at] = std::byte{value};
    return message;
  };
  const std::vector<std::function<bool(const RawPeer&)>> nonsense{
      [](const RawPeer& peer) { return peer.say(test::payload(1, 1)); },
      [](const RawPeer& peer) { return peer.say(test::payload(64, 1)); },
      [](const RawPeer& peer) { return peer.say(test::payload(4096, 1)); },
      [](const RawPeer& peer) { return peer.say_at_length(test::payload(100'000, 1)); },
      [&](const RawPeer& peer) { return peer.say(good.bytes().first(63)); },
      [&](const RawPeer& peer) { return peer.say(good.bytes().first(64)); },
      [&](const RawPeer& peer) { return peer.say(good.bytes().first(good.size - 1)); },
      [&](const RawPeer& peer) { return peer.say(changed(0, 'X')); },
      [&](const RawPeer& peer) { return peer.say(changed(12, 1)); },            // another size
      [&](const RawPeer& peer) { return peer.say(changed(16, 99)); },           // no such type
      [&](const RawPeer& peer) { return peer.say(changed(18, 1)); },            // a handle that is not there
      [&](const RawPeer& peer) { return peer.say(good, {0}); },                 // one that was not announced
      [&](const RawPeer& peer) { return peer.say(MessageType::leave, 1, 1); },  // no hello before
      [&](const RawPeer& peer) { return peer.say(good) && peer.say(good); },    // two
      [&](const RawPeer& peer) { return peer.say(good) && peer.say(MessageType::refuse, 0, 0, detail::RefuseBody{}); },
  };
  for (std::size_t i = 0; i < nonsense.size(); ++i) {
    SCOPED_TRACE(i);
    const RawPeer peer(RawPeer::Manners::says_nothing);
    nonsense[i](peer);
    EXPECT_TRUE(peer.was_hung_up_on());
  }
}

TEST_F(Hostile, another_version_is_told_which_one_is_spoken) {
  const RawPeer peer(RawPeer::Manners::says_nothing);
  MessageBytes hello = peer.hello();
  hello.storage[8] = std::byte{77};
  peer.say(hello);
  const auto answer = peer.hear();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->type(), MessageType::refuse);
  EXPECT_EQ(answer->as<detail::RefuseBody>().version, detail::layout_version);
  EXPECT_EQ(detail::get_text(answer->as<detail::RefuseBody>().reason), "another layout version");
  EXPECT_TRUE(peer.was_hung_up_on());
}

TEST_F(Hostile, more_handles_than_any_message_has_are_closed) {
  SKIP_UNDER_QEMU("it keeps handles that did not fit into a message");
  for (const std::size_t count : {5UL, 100UL, 253UL}) {
    const RawPeer peer(RawPeer::Manners::says_nothing);
    // By hand, since our own sending refuses as many.
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto names = test::names_in_lane_directory();
    const auto door = std::ranges::find_if(names, [](const std::string& name) { return name.starts_with("door-"); });
    std::strncpy(address.sun_path, (std::string(::getenv("MEMLANE_DIR")) + "/" + *door).c_str(),
                 sizeof address.sun_path - 1);
    const detail::platform::Handle socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    MessageBytes hello = peer.hello();
    iovec part{hello.storage.data(), hello.size};
    std::vector<char> control(CMSG_SPACE(sizeof(int) * count));
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
    const std::vector<int> handles(count, 0);
    std::memcpy(CMSG_DATA(rights), handles.data(), sizeof(int) * count);
    ASSERT_GT(::sendmsg(socket.get(), &header, MSG_NOSIGNAL), 0);
    pollfd look{socket.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&look, 1, 30'000), 1);
    char byte = 0;
    EXPECT_LE(::recv(socket.get(), &byte, 1, 0), 0) << "it was hung up on";
  }
}

/// Says what is ignored, with four descriptors of a kind that no message has.
bool bring_strangers(const RawPeer& peer) {
  const detail::platform::Handle folder(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const int one = folder.get();
  return peer.say(detail::compose(MessageType::leave, 1, 1000, std::span<const std::byte>{}, 4), {one, one, one, one});
}

TEST_F(Hostile, strangers_without_an_end_are_hung_up_on) {
  const RawPeer peer;
  int brought = 0;
  while (brought < 1000 && bring_strangers(peer)) ++brought;
  EXPECT_LT(brought, 1000);
  const auto answer = peer.hear(MessageType::refuse);
  ASSERT_TRUE(answer);
  EXPECT_EQ(detail::get_text(answer->as<detail::RefuseBody>().reason),
            "it gets descriptors that are neither memory nor a pipe");
  EXPECT_TRUE(peer.was_hung_up_on());
}

/// As if somebody were just closing one, and came to no end.
void closing_hangs(bool hangs) {
  const detail::platform::ForkLock no_fork_now;
  detail::platform::strangers::Waiting::here().at_work = hangs;
}

TEST_F(Hostile, strangers_whose_closing_hangs_keep_newcomers_waiting_and_nobody_else) {
  closing_hangs(true);
  std::vector<RawPeer> peers;
  while (!detail::platform::strangers_pile_up()) {
    ASSERT_LT(peers.size(), 200U) << "they are not bounded";
    const RawPeer& peer = peers.emplace_back();
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(bring_strangers(peer));
    ASSERT_TRUE(peer.say(MessageType::invite, 1, 1000, detail::PortBody{}));
    ASSERT_TRUE(peer.hear(MessageType::gone)) << "it was heard to here";
  }
  const RawPeer newcomer;
  newcomer.say(MessageType::invite, 1, 1000, detail::PortBody{});
  EXPECT_TRUE(newcomer.hears_nothing_for(std::chrono::milliseconds(250)));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(publisher.send_copy(test::payload(100, 1)), 1U);
    EXPECT_TRUE(subscriber.take(patience));
  }
  closing_hangs(false);
  EXPECT_TRUE(newcomer.hear(MessageType::gone)) << "it was let in";
}

TEST_F(Hostile, messages_to_ports_that_are_not_there_are_answered_or_ignored) {
  const RawPeer peer;
  for (const auto type :
       {MessageType::leave, MessageType::closing, MessageType::gone, MessageType::segment_drop, MessageType::returns})
    peer.say(type, 1, 999);
  peer.say(MessageType::invite, 5, 999, RawPeer::port_body("lane", PortKind::publisher));
  const auto answer = peer.hear();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->type(), MessageType::gone);
  EXPECT_EQ(answer->header.to_port, 5U);
}

TEST_F(Hostile, last_words_of_links_that_never_were_are_ignored) {
  const RawPeer peer;
  for (const std::uint64_t port : {subscriber_number(), publisher_number()}) {
    for (const auto type :
         {MessageType::leave, MessageType::closing, MessageType::gone, MessageType::segment_drop, MessageType::returns})
      peer.say(type, 1, port);
  }
  peer.say(MessageType::invite, 5, 999, RawPeer::port_body("lane", PortKind::publisher));
  EXPECT_EQ(peer.hear()->type(), MessageType::gone) << "the connection is still good";
}

TEST_F(Hostile, a_crowd_that_never_introduces_itself_keeps_nobody_out_for_ever) {
  std::vector<RawPeer> crowd;
  for (int i = 0; i < 200; ++i) crowd.emplace_back(RawPeer::Manners::says_nothing);
  Subscriber another("lane");
  EXPECT_EQ(publisher.send_copy(test::payload(1, 1)), 2U);
  EXPECT_TRUE(subscriber.take(patience));
  crowd.clear();
  for (int i = 0; i < 1000; ++i) RawPeer(RawPeer::Manners::says_nothing).hang_up();
}

}  // namespace
}  // namespace memlane
