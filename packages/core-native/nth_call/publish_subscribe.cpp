#include <array>
#include <atomic>
#include <thread>

#include "scenario.hpp"
#include "support/child_process.hpp"

namespace memlane::nth_call {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t small = 100;
constexpr std::size_t large = 300'000;

/// Two ports that may or may not have come into being: whatever did works, or says why not.
void exchange(Trial& trial, std::optional<Publisher>& publisher, std::optional<Subscriber>& subscriber) {
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    trial.send(*publisher, small);
    trial.send(*publisher, large, {.encoding = "raw"});
    trial.expect_promises_kept(*subscriber);
    // What was in the way is over: if they are linked, they go on.
    if (publisher->stats().peers == 1 && subscriber->stats().peers == 1) {
      EXPECT_TRUE(trial.send(*publisher, small) || trial.send(*publisher, small));
      trial.expect_promises_kept(*subscriber);
    }
  }
  trial.end(publisher);
  trial.end(subscriber);
}

void publisher_first(Trial& trial) {
  auto publisher = trial.publisher(trial.near());
  auto subscriber = trial.subscriber(trial.far());
  exchange(trial, publisher, subscriber);
}

void subscriber_first(Trial& trial) {
  auto subscriber = trial.subscriber(trial.far());
  auto publisher = trial.publisher(trial.near());
  exchange(trial, publisher, subscriber);
}

void one_endpoint(Trial& trial) {
  auto subscriber = trial.subscriber(trial.near());
  auto publisher = trial.publisher(trial.near());
  exchange(trial, publisher, subscriber);
}

void growing(Trial& trial) {
  auto publisher = trial.publisher(trial.near(), {.memory_budget = 1'300'000});
  auto subscriber = trial.subscriber(trial.far());
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    for (const std::size_t bytes : {1'000, 10'000, 300'000, 600'000, 300'000, 1'100'000, 1'000}) {
      trial.send(*publisher, bytes);  // each needs memory of its own, and the budget makes them give back what they had
      trial.expect_promises_kept(*subscriber);
      // A link that was dropped at one end is over at the other in a moment: then its memory can be given back.
      EXPECT_TRUE(test::eventually([&] { return publisher->stats().peers == subscriber->stats().peers; }));
    }
    EXPECT_LE(publisher->stats().bytes, 1'300'000U);
  }
  trial.end(publisher);
  trial.end(subscriber);
}

void late_with_history(Trial& trial) {
  auto publisher = trial.publisher(trial.near(), {.history = 2});
  if (publisher) {
    trial.send(*publisher, small);
    trial.send(*publisher, large);
    trial.send(*publisher, small);
  }
  auto subscriber = trial.subscriber(trial.far());
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    const std::uint64_t sent = publisher->stats().sent;
    const std::uint64_t kept = std::min<std::uint64_t>(sent, 2);
    EXPECT_TRUE(test::eventually([&] {
      while (trial.take(*subscriber, 1ms)) {
      }
      return subscriber->stats().received == kept || subscriber->stats().broken != 0 || publisher->stats().broken != 0;
    })) << "of "
        << kept << " samples of history, " << subscriber->stats().received << " came";
  }
  trial.end(publisher);
  trial.end(subscriber);
}

void dropping(Trial& trial) {
  auto publisher = trial.publisher(trial.near());
  auto subscriber = trial.subscriber(trial.far(), {.depth = 2, .overflow = Overflow::drop_oldest});
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    for (int i = 0; i < 6; ++i) trial.send(*publisher, small);
    // Whatever arrives is the newest, and what did not was counted.
    const auto all_known = [&] {
      while (trial.take(*subscriber, 1ms)) {
      }
      const auto stats = subscriber->stats();
      return stats.received + stats.dropped >= publisher->stats().sent || stats.broken != 0 ||
             publisher->stats().peers == 0;
    };
    EXPECT_TRUE(test::eventually(all_known, 10s));
    EXPECT_TRUE(publisher->flush(10s));
  }
  trial.end(publisher);
  trial.end(subscriber);
}

void waiting(Trial& trial) {
  auto publisher = trial.publisher(trial.near(), {.send_timeout = 20s});
  auto subscriber = trial.subscriber(trial.far(), {.depth = 1});
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    std::atomic<std::uint64_t> promised{0};
    std::atomic<bool> all_sent{false};
    // A sender that waits for room, while this thread waits for samples. All of it may fail.
    std::thread sender([&] {
      for (int i = 0; i < 4; ++i) {
        try {
          promised += publisher->send_copy(std::array<std::byte, small>{});
        } catch (const std::exception&) {
          continue;  // in clear words: other scenarios look at them
        }
      }
      all_sent = true;
    });
    std::uint64_t taken = 0;
    const auto all_here = [&] {
      trial.attempt("taking", [&] {
        if (const auto sample = subscriber->take(all_sent ? 0ms : 50ms)) ++taken;
      });
      return all_sent && (taken == promised || subscriber->stats().broken != 0);
    };
    EXPECT_TRUE(test::eventually(all_here, 30s)) << "promised " << promised << ", taken " << taken;
    sender.join();
  }
  trial.end(publisher);
  trial.end(subscriber);
}

void held_at_the_end(Trial& trial) {
  auto publisher = trial.publisher(trial.near());
  auto subscriber = trial.subscriber(trial.far());
  std::optional<Sample> held;
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    trial.send(*publisher, large);
    trial.send(*publisher, large);
    held = trial.take(*subscriber);
    trial.attempt("closing", [&] { subscriber->close(); });
    if (held) {
      EXPECT_TRUE(test::is_payload(held->bytes(), held->sequence())) << "what is held stays";
    }
    trial.end(held);
    EXPECT_TRUE(test::eventually([&] { return publisher->stats().waiting == 0; }, 10s)) << "what came back";
  }
  trial.end(held);
  trial.end(subscriber);
  trial.end(publisher);
}

void written_to(Trial& trial) {
  auto publisher = trial.publisher(trial.near());
  auto subscriber = trial.subscriber(trial.far(), {.writable_view = true});
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    for (int i = 0; i < 3; ++i) {
      if (publisher->stats().peers == 0 || !trial.send(*publisher, large)) continue;
      auto sample = trial.take(*subscriber, 1s);
      if (!sample) continue;
      const_cast<std::byte*>(sample->data())[5000] ^= std::byte{0xFF};  // must be gone with the sample
      trial.end(sample);
    }
    trial.expect_promises_kept(*subscriber);
  }
  trial.end(publisher);
  trial.end(subscriber);
}

void in_an_event_loop(Trial& trial) {
  auto publisher = trial.publisher(trial.near());
  auto subscriber = trial.subscriber(trial.far());
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    trial.attempt("asking for the descriptor", [&] { static_cast<void>(subscriber->fileno()); });
    std::optional<detail::platform::Handle> own;
    trial.attempt("asking for a descriptor of one's own", [&] { own = subscriber->port().own_fileno(); });
    if (trial.send(*publisher, small) && subscriber->stats().broken == 0)
      trial.attempt("waiting for several ports", [&] { static_cast<void>(wait({*subscriber}, 10s)); });
    trial.expect_promises_kept(*subscriber);
    trial.attempt("asking whether it is ready", [&] { static_cast<void>(subscriber->ready()); });
    trial.attempt("asking whether it is ready", [&] { static_cast<void>(publisher->ready()); });
    trial.attempt("flushing", [&] { EXPECT_TRUE(publisher->flush(10s)); });
  }
  trial.end(publisher);
  trial.end(subscriber);
}

void with_reserve(Trial& trial) {
  auto publisher = trial.publisher(trial.near());
  auto subscriber = trial.subscriber(trial.far());
  if (publisher && subscriber) {
    trial.expect_linked_or_told(*publisher, *subscriber);
    trial.attempt("reserving", [&] { publisher->reserve(large, 3); });
    std::vector<Loan> loans;
    loans.reserve(4);
    for (int i = 0; i < 4; ++i) trial.attempt("lending", [&] { loans.push_back(publisher->loan(large)); });
    trial.attempt("giving up", [&] { loans.clear(); });
    EXPECT_EQ(publisher->stats().waiting, 0U);
    trial.send(*publisher, large);
    trial.expect_promises_kept(*subscriber);
  }
  trial.end(publisher);
  trial.end(subscriber);
}

/// More than the 64 MB that are reserved in one piece: nothing of it stays if the second piece cannot be had.
void a_big_loan(Trial& trial) {
  auto publisher = trial.publisher(trial.near());
  if (publisher) {
    std::optional<Loan> loan;
    const bool lent = trial.attempt("lending 66 MB", [&] { loan.emplace(publisher->loan(66'000'000)); });
    if (!lent) {
      EXPECT_EQ(publisher->stats().bytes, 0U) << "nothing is held of what could not be had";
    }
    trial.end(loan);
  }
  trial.end(publisher);
}

/// The death of a real process, which holds a sample and has sent one.
void a_death(Trial& trial) {
  auto publisher = trial.publisher(trial.near());
  auto subscriber = trial.subscriber(trial.near());
  {
    test::Peer peer({"pub p lane join_timeout=10000", "sub s lane join_timeout=10000"});
    if (publisher && subscriber) {
      const auto linked = [&] {
        return (publisher->stats().peers == 2 && subscriber->stats().peers == 2) ||
               publisher->stats().broken + subscriber->stats().broken != 0;
      };
      static_cast<void>(test::eventually(linked, 2s));
      trial.attempt("sending", [&] { publisher->send_copy(test::payload(small, 1)); });
      peer.ask("take s 100 held");
      peer.ask("send p 100 1");
    }
    peer.kill();
  }
  if (publisher && subscriber) {
    // Everybody hears of it, whatever fails at this moment.
    const auto heard = [&] {
      trial.attempt("taking", [&] { static_cast<void>(subscriber->take(1ms)); });
      return publisher->stats().peers <= 1 && subscriber->stats().peers <= 1 && publisher->stats().waiting == 0;
    };
    EXPECT_TRUE(test::eventually(heard, 10s))
        << "peers of the publisher " << publisher->stats().peers << ", of the subscriber " << subscriber->stats().peers
        << ", waiting " << publisher->stats().waiting;
  }
  trial.end(publisher);
  trial.end(subscriber);
}

constexpr std::array scenarios{
    Scenario{"publisher_first", publisher_first},
    Scenario{"subscriber_first", subscriber_first, true},
    Scenario{"one_endpoint", one_endpoint},
    Scenario{"growing", growing},
    Scenario{"late_with_history", late_with_history},
    Scenario{"dropping", dropping},
    Scenario{"waiting", waiting},
    Scenario{"held_at_the_end", held_at_the_end},
    Scenario{"written_to", written_to},
    Scenario{"in_an_event_loop", in_an_event_loop},
    Scenario{"with_reserve", with_reserve},
    Scenario{"a_big_loan", a_big_loan},
    Scenario{"a_death", a_death},
};

}  // namespace

std::span<const Scenario> publish_subscribe() noexcept {
  return scenarios;
}

}  // namespace memlane::nth_call
