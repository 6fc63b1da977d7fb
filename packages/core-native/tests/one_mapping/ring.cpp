// Two threads at the two ends of one link, over one mapping, with payloads that are plain memory: ThreadSanitizer sees each
// touch of a payload that no order covers. Says "whole" at the end.
//
// Arguments: whether the sender takes back (1, 0), the depth, how many samples. With one of the macros WEAKEN_... one side's
// orders are relaxed in its whole header, and ThreadSanitizer must find that.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <thread>
#include <vector>

#include "memlane/layout/half.hpp"
#include "memlane/platform/memory.hpp"
#include "memlane/ring/corruption.hpp"

// NOLINTBEGIN(cppcoreguidelines-macro-usage): a mutant of the very headers that ship
#if defined(WEAKEN_SENDER_RELEASE)
#define memory_order_release memory_order_relaxed
#elif defined(WEAKEN_SENDER_ACQUIRE)
#define memory_order_acquire memory_order_relaxed
#endif
#include "memlane/ring/sender_ring.hpp"
#undef memory_order_release
#undef memory_order_acquire

#if defined(WEAKEN_RECEIVER_RELEASE)
#define memory_order_release memory_order_relaxed
#elif defined(WEAKEN_RECEIVER_ACQUIRE)
#define memory_order_acquire memory_order_relaxed
#endif
#include "memlane/ring/receiver_ring.hpp"
#undef memory_order_release
#undef memory_order_acquire
// NOLINTEND(cppcoreguidelines-macro-usage)

#include "support/ring_pair.hpp"

namespace {

using namespace memlane;

using Payload = std::array<std::uint64_t, 8>;  // plain

[[noreturn]] void fail(const char* what) {
  std::cout << what << std::endl;
  std::exit(1);
}

/// Takes what comes, until the sample `last`, which the sender never takes back.
void receive(detail::ReceiverRing& ring, const std::vector<Payload>& payloads, std::uint64_t last) {
  struct Return {
    std::uint64_t position;
    std::uint32_t ticket;
    bool yielded;
  };
  std::vector<Return> pending;  // while the ring of returns is full
  const auto give_back = [&] {
    while (!pending.empty() && ring.give_back(pending.back().position, pending.back().ticket, pending.back().yielded))
      pending.pop_back();
  };
  for (bool over = false; !over || !pending.empty(); give_back()) {
    const auto look = ring.look([&](std::uint64_t position) { pending.push_back({position, 0, true}); });
    if (!look) {
      std::this_thread::yield();
      continue;
    }
    if (!ring.take()) {
      pending.push_back({look->position, 0, true});
      continue;
    }
    if (look->descriptor.sequence != look->position + 1) fail("a torn or stale descriptor was taken");
    for (const std::uint64_t word : payloads.at(look->descriptor.ticket)) {
      if (word != look->descriptor.sequence) fail("the payload is another's");
    }
    pending.push_back({look->position, look->descriptor.ticket, false});
    over = look->descriptor.sequence == last;
  }
}

class Sending {
 public:
  Sending(detail::SenderRing& ring, std::vector<Payload>& payloads) : ring_(ring), payloads_(payloads) {
    out_.resize(payloads.size());
  }

  void send(std::uint64_t sequence, bool takes_back, std::uint32_t depth) {
    std::optional<std::uint32_t> free = find_free();
    while (!free || !ring_.has_room(depth)) {
      collect();
      if (free && takes_back) {
        take_back();
      } else {
        std::this_thread::yield();
      }
      free = find_free();
    }
    payloads_[*free].fill(sequence);
    detail::Descriptor descriptor = test::numbered(sequence);
    descriptor.ticket = *free;
    out_[*free] = ring_.tail() + 1;
    ring_.push(descriptor);
  }

  [[nodiscard]] bool everything_is_back() {
    collect();
    for (const std::uint64_t position : out_) {
      if (position != 0) return false;
    }
    return true;
  }

 private:
  [[nodiscard]] std::optional<std::uint32_t> find_free() const {
    for (std::uint32_t slot = 0; slot < out_.size(); ++slot) {
      if (out_[slot] == 0) return slot;
    }
    return std::nullopt;
  }

  void release(std::uint64_t position) {
    for (std::uint64_t& out : out_) {
      if (out == position + 1) out = 0;
    }
  }

  void collect() {
    ring_.collect_returns([&](const detail::SenderRing::Return& each) {
      if (!each.yielded && out_.at(each.ticket) != each.position + 1) fail("what came back was not out");
      release(each.position);
    });
  }

  void take_back() {
    std::uint64_t position = 0;
    if (ring_.take_back(position) == detail::SenderRing::TakeBack::taken) release(position);
  }

  detail::SenderRing& ring_;
  std::vector<Payload>& payloads_;
  std::vector<std::uint64_t> out_;  // by payload: its position + 1, or 0
};

}  // namespace

int main(int /*argc*/, char** argv) {
  const bool takes_back = std::atoi(argv[1]) != 0;
  const auto depth = static_cast<std::uint32_t>(std::atoi(argv[2]));
  const auto samples = static_cast<std::uint64_t>(std::atoi(argv[3]));
  test::RingPair pair(depth, takes_back, test::Mappings::one);
  std::vector<Payload> payloads(depth + 3);
  std::thread receiver([&] { receive(pair.receiver, payloads, samples); });
  Sending sending(pair.sender, payloads);
  for (std::uint64_t i = 1; i <= samples; ++i) sending.send(i, takes_back, depth);
  while (!sending.everything_is_back()) std::this_thread::yield();
  receiver.join();
  std::cout << "whole" << std::endl;
  return 0;
}
