// A peer that lies. It can spoil its own link, and gets nothing else: no crash, no wait without an end, no look outside a
// mapping, no descriptor kept, and everybody else goes on.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include "support/expect_error.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"
#include "support/raw_peer.hpp"

namespace memlane {
namespace {

using namespace std::chrono_literals;
using detail::compose;
using detail::MessageBytes;
using detail::MessageType;
using detail::PortKind;
using test::eventually;
using test::patience;
using test::RawPeer;
using test::RawPublisher;
using test::RawSubscriber;

class Hostile : public ::testing::Test {
 protected:
  /// Whatever happened: an honest publisher and the subscriber still understand each other.
  void TearDown() override {
    ASSERT_TRUE(eventually([&] { return publisher.stats().peers == 1; })) << "the liar's link is still there";
    ASSERT_EQ(publisher.send_copy(test::payload(500, 9)), 1U);
    std::optional<Sample> sample;
    try {
      sample = subscriber.take(patience);
    } catch (const Error& error) {
      FAIL() << "a complaint that no test expected: " << error.what();
    }
    ASSERT_TRUE(sample);
    EXPECT_TRUE(test::is_payload(sample->bytes(), 9));
  }

  [[nodiscard]] std::uint64_t subscriber_number() const { return RawPeer().ports("lane", PortKind::subscriber).at(0); }
  [[nodiscard]] std::uint64_t publisher_number() const { return RawPeer().ports("lane", PortKind::publisher).at(0); }

  /// The next take complains about the raw peer's link.
  void complains(ErrorCode code, const std::string& words) {
    EXPECT_TRUE(test::throws_error(code, words, [&] { static_cast<void>(subscriber.take(patience)); }));
  }

  Publisher publisher{"lane"};
  Subscriber subscriber{"lane"};
};

// ---- messages ----

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

// ---- a publisher that lies ----

TEST_F(Hostile, an_honest_raw_publisher_is_understood) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  raw.hand_over_segment(1);
  test::fill({raw.payload(), 100}, 5);
  raw.push(RawPublisher::good_descriptor());
  const auto sample = subscriber.take(patience);
  ASSERT_TRUE(sample);
  EXPECT_TRUE(test::is_payload(sample->bytes(), 5));
  EXPECT_EQ(sample->sender().label, "raw");
  EXPECT_EQ(sample->sender().pid, 4711);
}

TEST_F(Hostile, an_invitation_to_another_lane_or_kind_is_refused) {
  const RawPeer peer;
  const std::uint64_t to = subscriber_number();
  std::vector<detail::PortBody> wrong{
      RawPeer::port_body("other", PortKind::publisher), RawPeer::port_body("lane", PortKind::subscriber),
      RawPeer::port_body("lane", PortKind::producer), RawPeer::port_body("lane", static_cast<PortKind>(200))};
  for (const detail::PortBody& body : wrong) {
    peer.say(MessageType::invite, 1, to, body);
    EXPECT_EQ(peer.hear()->type(), MessageType::gone);
    complains(ErrorCode::corrupt, "another lane");
  }
  peer.say(MessageType::invite, 1, to);
  EXPECT_EQ(peer.hear()->type(), MessageType::gone);
  complains(ErrorCode::corrupt, "another lane");
}

TEST_F(Hostile, a_half_that_is_not_what_it_must_be_is_refused) {
  const RawPeer peer;
  std::uint64_t number = 0;
  const auto refused = [&](const std::function<bool(RawPublisher&)>& hand_over, const std::string& words) {
    SCOPED_TRACE(words);
    RawPublisher raw(peer, "lane", subscriber_number(), ++number);
    hand_over(raw);
    const auto answer = peer.hear(MessageType::gone);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.to_port, number);
    EXPECT_NE(detail::get_text(answer->as<detail::GoneBody>().reason).find(words.substr(0, 20)), std::string::npos);
    complains(ErrorCode::corrupt, words);
  };
  const std::uint64_t to = subscriber_number();
  const detail::platform::Bell bell;
  const auto send = [&](RawPublisher& raw, const detail::HalfBody& body, std::initializer_list<int> handles) {
    return peer.say(MessageType::half, raw.number(), to, body, handles);
  };
  const auto spoilt_header = [&](std::size_t word) {
    return [&, word](RawPublisher& raw) {
      reinterpret_cast<std::uint32_t*>(raw.own_half().mapping.data())[word] ^= 1U;
      raw.hand_over_half();
      return true;
    };
  };
  for (const std::size_t word : {0UL, 2UL, 3UL, 4UL}) refused(spoilt_header(word), "wrong header");
  refused([&](RawPublisher& raw) { return send(raw, raw.half_body(), {}); }, "a half for another lane");
  refused([&](RawPublisher& raw) { return send(raw, raw.half_body(), {raw.own_half().handle.get()}); },
          "a half for another lane");
  refused(
      [&](RawPublisher& raw) {
        return send(raw, raw.half_body(), {raw.own_half().handle.get(), bell.write_handle(), 0});
      },
      "a half for another lane");
  refused(
      [&](RawPublisher& raw) {
        return send(raw, raw.half_body(), {raw.own_half().handle.get(), raw.own_half().handle.get()});
      },
      "not a pipe");
  refused([&](RawPublisher& raw) { return send(raw, raw.half_body(), {bell.write_handle(), bell.write_handle()}); },
          "not a regular file");
  refused(
      [&](RawPublisher& raw) {
        detail::HalfBody body = raw.half_body();
        body.bytes = 1ULL << 40U;
        return send(raw, body, {raw.own_half().handle.get(), bell.write_handle()});
      },
      "wrong size");
  refused(
      [&](RawPublisher& raw) {
        detail::HalfBody body = raw.half_body();
        body.port.lane[0] ^= 1U;
        return send(raw, body, {raw.own_half().handle.get(), bell.write_handle()});
      },
      "a half for another lane");
  refused(
      [&](RawPublisher& raw) {
        const auto unsealed = detail::platform::Handle(::memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        EXPECT_EQ(::ftruncate(unsealed.get(), static_cast<off_t>(raw.own_half().mapping.size())), 0);
        return send(raw, raw.half_body(), {unsealed.get(), bell.write_handle()});
      },
      "not sealed");
  refused(
      [&](RawPublisher& raw) {
        raw.hand_over_half();
        raw.hand_over_half();
        return true;
      },
      "a second half");
}

TEST_F(Hostile, a_description_that_makes_no_sense_ends_its_link_and_no_other) {
  const RawPeer peer;
  std::uint64_t number = 0;
  using Change = std::function<void(detail::Descriptor&)>;
  const std::vector<Change> changes{
      [](auto& d) { d.offset = 4096; },
      [](auto& d) { d.offset = 4000; },
      [](auto& d) { d.offset = ~0ULL; },
      [](auto& d) { d.offset = ~0ULL - 99; },
      [](auto& d) { d.offset = 8; },
      [](auto& d) {
        d.length = 4097;
        d.shape[0] = 4097;
      },
      [](auto& d) { d.length = ~0ULL; },
      [](auto& d) {
        d.offset = 16;
        d.length = ~0ULL - 15;
      },
      [](auto& d) { d.length = 99; },
      [](auto& d) { d.dtype = 16; },
      [](auto& d) { d.dtype = 255; },
      [](auto& d) { d.dtype = 5; },
      [](auto& d) { d.ndim = 9; },
      [](auto& d) { d.ndim = 255; },
      [](auto& d) { d.ndim = 0; },
      [](auto& d) { d.ndim = 2; },
      [](auto& d) {
        d.ndim = 2;
        d.shape[0] = 1ULL << 63U;
        d.shape[1] = 2;
      },
      [](auto& d) {
        d.ndim = 3;
        d.shape[0] = d.shape[1] = d.shape[2] = 1ULL << 32U;
      },
      [](auto& d) {
        d.flags = detail::has_meta;
        d.offset = 4096 - 112;
      },
      [](auto& d) { d.flags = detail::has_meta; },  // the block's lengths are 0xFF
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    RawPublisher raw(peer, "lane", subscriber_number(), ++number);
    raw.hand_over_half();
    raw.hand_over_segment(1);
    std::memset(raw.payload(), 0xFF, 4096);
    detail::Descriptor descriptor = RawPublisher::good_descriptor();
    changes[i](descriptor);
    raw.push(descriptor);
    complains(ErrorCode::corrupt, "process 4711");
    EXPECT_EQ(peer.hear(MessageType::leave)->header.to_port, number);
  }
  EXPECT_EQ(subscriber.stats().broken, changes.size());
  EXPECT_EQ(subscriber.stats().peers, 1U);
}

TEST_F(Hostile, words_of_a_ring_that_cannot_be_end_its_link_and_no_other) {
  const RawPeer peer;
  std::uint64_t number = 0;
  for (const std::uint64_t tail : {std::uint64_t{1000}, ~std::uint64_t{0}}) {
    RawPublisher raw(peer, "lane", subscriber_number(), ++number);
    raw.hand_over_half();
    raw.half().tail = tail;
    complains(ErrorCode::corrupt, "tail");
  }
  RawPublisher raw(peer, "lane", subscriber_number(), ++number);
  raw.hand_over_half();
  raw.hand_over_segment(1);
  raw.push(RawPublisher::good_descriptor());
  EXPECT_TRUE(subscriber.take(patience));
  raw.half().tail = 0;
  complains(ErrorCode::corrupt, "tail");
}

TEST_F(Hostile, words_of_one_ring_that_cannot_be_are_not_held_against_another) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  raw.hand_over_segment(1);
  raw.push(RawPublisher::good_descriptor());
  raw.push(RawPublisher::good_descriptor());
  ASSERT_TRUE(subscriber.take(patience));
  raw.half().tail = 0;  // and the second is known to wait
  EXPECT_NO_THROW(static_cast<void>(subscriber.stats()));
  std::this_thread::sleep_for(110ms);  // the next take writes the counters down, for which it asks every link
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 1U);
  bool honest_one_came = false;
  for (int looks = 0; looks < 4; ++looks) {
    try {
      const auto sample = subscriber.take();
      if (sample && sample->size() == 10) honest_one_came = true;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("process 4711"), std::string::npos) << error.what();
    }
  }
  EXPECT_TRUE(honest_one_came);
  EXPECT_EQ(publisher.stats().peers, 1U);
  EXPECT_EQ(subscriber.stats().broken, 1U);
}

TEST_F(Hostile, memory_that_is_never_handed_over_keeps_nobody_waiting) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  raw.push(RawPublisher::good_descriptor());
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 1U);
  EXPECT_EQ(subscriber.take(patience)->size(), 10U) << "the other publisher's";
  EXPECT_FALSE(subscriber.take(20ms));
  peer.say(MessageType::leave, 1, subscriber_number());
  complains(ErrorCode::corrupt, "never handed over");
}

TEST_F(Hostile, memory_that_died_with_its_sender_is_a_drop) {
  {
    const RawPeer peer;
    RawPublisher raw(peer, "lane", subscriber_number(), 1);
    raw.hand_over_half();
    raw.push(RawPublisher::good_descriptor());
    EXPECT_FALSE(subscriber.take(20ms));
  }
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 1U);
  EXPECT_EQ(subscriber.take(patience)->size(), 10U);
  EXPECT_TRUE(test::eventually([&] { return !subscriber.take() && subscriber.stats().peers == 1; }));
  EXPECT_EQ(subscriber.stats().dropped, 1U);
  EXPECT_EQ(subscriber.stats().broken, 0U);
}

TEST_F(Hostile, segments_that_are_not_what_they_must_be_end_their_link) {
  const RawPeer peer;
  const std::uint64_t to = subscriber_number();
  std::uint64_t number = 0;
  const auto refused = [&](const std::function<void(RawPublisher&)>& act, const std::string& words) {
    SCOPED_TRACE(words);
    RawPublisher raw(peer, "lane", to, ++number);
    raw.hand_over_half();
    act(raw);
    complains(ErrorCode::corrupt, words);
  };
  refused(
      [&](auto& raw) {
        raw.hand_over_segment(1);
        raw.hand_over_segment(1);
      },
      "announced twice");
  refused([&](auto& raw) { peer.say(MessageType::segment, raw.number(), to, detail::SegmentBody{1, 0, 4096}); },
          "without its memory");
  refused([&](auto& raw) { peer.say(MessageType::segment, raw.number(), to, detail::SegmentBody{1, 0, 4096}, {0, 0}); },
          "without its memory");
  refused(
      [&](auto& raw) {
        peer.say(MessageType::segment, raw.number(), to, detail::SegmentBody{1, 0, 1ULL << 62U},
                 {raw.own_half().handle.get()});
      },
      "size");
  refused(
      [&](auto& raw) {
        peer.say(MessageType::segment, raw.number(), to, detail::SegmentBody{1, 0, 4096}, {raw.bell().get()});
      },
      "not a regular file");
  refused([&](auto& raw) { peer.say(MessageType::segment_drop, raw.number(), to); }, "no sender sends");
  refused([&](auto& raw) { peer.say(MessageType::closing, raw.number(), to); }, "no sender sends");
  refused([&](auto& raw) { peer.say(static_cast<MessageType>(999), raw.number(), to); }, "no sender sends");
}

TEST_F(Hostile, a_storm_of_rings_and_a_blocking_bell_stop_nobody) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  ::fcntl(raw.bell().get(), F_SETFL, 0);
  const detail::platform::ForeignBell bell(detail::platform::Handle(::fcntl(raw.bell().get(), F_DUPFD_CLOEXEC, 0)));
  for (int i = 0; i < 50'000; ++i) bell.ring();
  EXPECT_FALSE(subscriber.take(5ms));
  for (int i = 0; i < 1000; ++i) {
    bell.ring();
    publisher.send_copy(test::payload(1, 1));
    ASSERT_TRUE(subscriber.take(patience));
  }
}

TEST_F(Hostile, a_full_bell_that_would_block_whoever_rings_with_it_is_not_the_owners) {
  const RawPeer peer;
  RawPublisher raw(peer, "lane", subscriber_number(), 1);
  raw.hand_over_half();
  static_cast<void>(subscriber.fileno());  // from now on it rings for itself
  const detail::platform::ForeignBell bell(detail::platform::Handle(::fcntl(raw.bell().get(), F_DUPFD_CLOEXEC, 0)));
  for (int i = 0; i < 5000; ++i) bell.ring();
  ASSERT_EQ(::fcntl(raw.bell().get(), F_SETFL, 0), 0);
  subscriber.stop();
  EXPECT_FALSE(subscriber.take(5ms));
}

// ---- a publisher that never stops ----

/// Writes on and on, in a thread, until it goes.
class Writer {
 public:
  explicit Writer(std::function<void()> write)
      : thread_([this, write = std::move(write)] {
          for (; !over_.load(std::memory_order_relaxed); ++rounds_) write();
        }) {
    while (rounds_ < 1000) std::this_thread::yield();
  }
  ~Writer() { stop(); }
  void stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> rounds_{0};
  std::thread thread_;
};

/// Whether a take comes back, with or without a sample, while somebody writes. If not, it does when the writer has stopped.
bool comes_back(Subscriber& subscriber, Writer& writer) {
  auto take = std::async(std::launch::async, [&] {
    try {
      static_cast<void>(subscriber.take());
    } catch (const Error&) {
      return;
    }
  });
  const bool came = take.wait_for(patience) == std::future_status::ready;
  writer.stop();
  take.get();
  return came;
}

TEST_F(Hostile, a_sender_that_hangs_up_and_sends_on_holds_nobody_up) {
  std::uint64_t dropped = 0;
  for (int round = 0; round < 50; ++round) {  // it must have a core of its own at the right moment
    RawPeer peer;
    RawPublisher raw(peer, "lane", subscriber_number(), 1);
    raw.hand_over_half();
    raw.push(RawPublisher::good_descriptor());  // in memory that was never handed over
    ASSERT_TRUE(eventually([&] { return subscriber.stats().peers == 2; }));
    peer.hang_up();
    ASSERT_TRUE(eventually([&] { return subscriber.stats().peers == 1; }));
    Writer writer([&] { raw.half().tail.store(raw.head() + 16, std::memory_order_release); });
    ASSERT_TRUE(comes_back(subscriber, writer));
    const std::uint64_t before = std::exchange(dropped, subscriber.stats().dropped);
    ASSERT_LE(dropped - before, 33U) << "what it could have sent before, and one that shows that it lies";
    try {
      while (subscriber.take()) {
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt);
    }
  }
}

// ---- a subscriber that lies ----

TEST_F(Hostile, a_receivers_half_that_is_not_what_it_must_be_is_refused) {
  const RawPeer peer;
  const std::uint64_t to = publisher_number();
  std::uint64_t number = 0;
  const detail::platform::Bell bell;
  const auto half = detail::make_receiver_half(4);
  const auto refused = [&](const std::function<void(detail::HalfBody&)>& change, std::initializer_list<int> handles) {
    detail::HalfBody body{};
    body.port = RawPeer::port_body("lane", PortKind::subscriber, 4);
    body.bytes = half.mapping.size();
    change(body);
    peer.say(MessageType::half, ++number, to, body, handles);
    const auto answer = peer.hear(MessageType::gone);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.to_port, number);
    EXPECT_EQ(answer->as<detail::GoneBody>().code, static_cast<std::uint32_t>(ErrorCode::corrupt));
  };
  const auto nothing = [](auto&) {};
  const int memory = half.handle.get();
  const int ring = bell.write_handle();
  refused([](auto& body) { body.port.depth = 0; }, {memory, ring});
  refused([](auto& body) { body.port.depth = 65537; }, {memory, ring});
  refused([](auto& body) { body.port.depth = 0xFFFFFFFF; }, {memory, ring});
  refused([](auto& body) { body.port.depth = 5000; }, {memory, ring});
  refused([](auto& body) { body.port.overflow = 4; }, {memory, ring});
  refused([](auto& body) { body.port.lane[1] ^= 1U; }, {memory, ring});
  refused([](auto& body) { body.port.kind = 1; }, {memory, ring});
  refused([](auto& body) { body.bytes = 0; }, {memory, ring});
  refused([](auto& body) { body.bytes = ~0ULL; }, {memory, ring});
  refused(nothing, {memory});
  refused(nothing, {});
  refused(nothing, {ring, ring});
  refused(nothing, {memory, memory});
  refused(nothing, {memory, ring, ring});
  EXPECT_EQ(publisher.stats().peers, 1U);
  EXPECT_EQ(publisher.stats().broken, number);
}

TEST_F(Hostile, a_receivers_words_that_cannot_be_end_its_link_and_give_its_memory_back) {
  const RawPeer peer;
  const std::uint64_t to = publisher_number();
  std::uint64_t number = 0;
  std::uint64_t broken = 0;
  const auto breaks = [&](const std::function<void(RawSubscriber&)>& lie) {
    SCOPED_TRACE(number);
    RawSubscriber raw(peer, "lane", to, ++number);
    ASSERT_TRUE(publisher.wait_for_subscribers(2, patience));
    EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 2U);
    lie(raw);
    EXPECT_TRUE(eventually([&] { return publisher.stats().peers == 1; }));
    EXPECT_EQ(publisher.stats().broken, ++broken);
    EXPECT_EQ(peer.hear(MessageType::gone)->header.to_port, number);
    ASSERT_TRUE(subscriber.take(patience));
    EXPECT_EQ(publisher.stats().waiting, 0U);
  };
  breaks([](auto& raw) { raw.give_back(0, 0); });  // before it was taken
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(0, 77);
  });
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(5, 0);
  });
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(~0ULL, 0);
  });
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(0, ~0ULL);
  });
  breaks([](auto& raw) {
    raw.half().head = 1;
    raw.give_back(0, 0);
    raw.give_back(0, 0);
  });
  breaks([](auto& raw) { raw.half().returns_tail = 1000; });
  breaks([](auto& raw) { raw.half().returns_tail = ~0ULL; });
  breaks([&](auto&) { peer.say(MessageType::returns, number, to, detail::ReturnsBody{0, 0}); });
  breaks([&](auto&) { peer.say(MessageType::returns, number, to, test::payload(15, 1)[0]); });
  breaks([&](auto&) { peer.say(MessageType::segment, number, to, detail::SegmentBody{1, 0, 4096}, {0}); });
}

TEST_F(Hostile, a_head_that_runs_away_is_found_by_the_next_send) {
  const RawPeer peer;
  RawSubscriber raw(peer, "lane", publisher_number(), 1, 1);
  ASSERT_TRUE(publisher.wait_for_subscribers(2, patience));
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 2U);
  raw.half().head = 500;
  EXPECT_EQ(publisher.send_copy(test::payload(10, 1)), 1U);
  EXPECT_EQ(publisher.stats().broken, 1U);
  EXPECT_TRUE(subscriber.take(patience));
  EXPECT_TRUE(subscriber.take(patience));
}

TEST_F(Hostile, many_sample_yields_of_a_receiver_that_lies_cost_no_more_than_its_own) {
  const RawPeer peer;
  RawSubscriber raw(peer, "lane", publisher_number(), 1, 2, Overflow::drop_oldest);
  ASSERT_TRUE(publisher.wait_for_subscribers(2, patience));
  for (int i = 0; i < 10; ++i) {
    publisher.send_copy(test::payload(10, 1));
    ASSERT_TRUE(subscriber.take(patience));
  }
  raw.half().head = 10;
  for (std::uint64_t i = 0; i < 10; ++i) raw.give_back(i, detail::return_yielded);
  EXPECT_TRUE(eventually([&] { return publisher.stats().waiting == 0; }));
  EXPECT_EQ(publisher.stats().peers, 2U);
}

TEST_F(Hostile, yields_beyond_what_was_sent_end_the_link) {
  const RawPeer peer;
  RawSubscriber raw(peer, "lane", publisher_number(), 1, 2, Overflow::drop_oldest);
  ASSERT_TRUE(publisher.wait_for_subscribers(2, patience));
  publisher.send_copy(test::payload(10, 1));
  ASSERT_TRUE(subscriber.take(patience));
  raw.half().head = 1;
  for (std::uint64_t i = 0; i < 2; ++i) raw.give_back(0, detail::return_yielded);
  EXPECT_TRUE(eventually([&] { return publisher.stats().peers == 1; }));
  EXPECT_EQ(publisher.stats().broken, 1U);
}

}  // namespace
}  // namespace memlane
