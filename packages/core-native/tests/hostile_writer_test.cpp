// A publisher that writes on and on.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "support/eventually.hpp"
#include "support/hostile.hpp"
#include "support/payload.hpp"
#include "support/raw_peer.hpp"

namespace memlane {
namespace {

using test::eventually;
using test::Hostile;
using test::patience;
using test::RawPeer;
using test::RawPublisher;

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

}  // namespace
}  // namespace memlane
