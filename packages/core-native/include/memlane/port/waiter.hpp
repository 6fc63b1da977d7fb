// How the threads of a port wait: one sleeps on the bell, the others on a condition variable behind it.
//
// All of it under the port's mutex, but for the sleep itself. The handshake with the peers [SYNC sleep]:
//
//   who waits:   armed = n; fence; look again; sleep if there is nothing
//   who brings:  publish;   fence; look at armed; ring if it is not 0 (once for each n)
//
// At least one of the two sees the other's store, so no wake-up is lost, and nobody who is awake is rung for twice.
// models/sleep.pml is a model of all of this.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "memlane/layout/shared.hpp"
#include "memlane/options.hpp"
#include "memlane/platform/bell.hpp"
#include "memlane/platform/fact.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/process.hpp"
#include "memlane/timeout.hpp"

namespace memlane::detail {

/// What a port must do for its waiter: tell the peers, and look.
class Armable {
 public:
  virtual ~Armable() = default;
  /// Writes `sleep` (0: awake) into every half of ours. Under the port's mutex.
  virtual void arm(std::uint64_t sleep) = 0;
};

class Waiter {
 public:
  explicit Waiter(Spin spin) : spin_(spin) {}

  [[nodiscard]] const platform::Bell& bell() const noexcept { return bell_; }

  /// Lets peers of other users ring. Before any of them has the bell.
  void let_in(const platform::Access& access) { bell_.let_in(access); }

  enum class Outcome : std::uint8_t { look_again, timed_out, interrupted };

  /// What a look that finds nothing means for a ring that nobody has heard yet.
  enum class Ring : std::uint8_t {
    silence,  ///< it was for nothing: the look was for what the bell rings for, samples or room
    keep,     ///< the look was for something else, and the ring may be for samples or room that nobody has seen yet
  };

  /// Waits until something may have changed. `ready()` is asked under the lock after arming, and must not throw lightly:
  /// what it throws ends the wait. The caller looks for itself afterwards, and calls again if there is nothing.
  template <class Ready>
  Outcome wait(std::unique_lock<std::mutex>& lock, Armable& port, const Deadline& deadline, const Interrupt& interrupt,
               Ready&& ready, Ring ring = Ring::silence) {
    if (deadline.passed()) return Outcome::timed_out;
    if (sleeper_) return wait_behind(lock, deadline, interrupt);
    sleeper_ = true;
    struct Awake {
      Waiter& waiter;
      Armable& port;
      std::unique_lock<std::mutex>& lock;
      ~Awake() {
        if (!lock.owns_lock()) lock.lock();
        waiter.wake_up(port);
      }
    } awake{*this, port, lock};

    if (watched_ && is_kept_awake(lock, deadline, ring)) {
      lock.unlock();  // the answer may need a lock of the language's own
      return interrupt.pending() ? Outcome::interrupted : Outcome::look_again;
    }
    if (const auto outcome = spin(lock, deadline, interrupt, ready)) return *outcome;
    armed_ = true;
    port.arm(next_sleep());
    fault_point("sleep.armed");
    store_then_look_fence();
    fault_point("sleep.fenced");
    // They looked when no peer had been told to ring: what came since then for them, and not for us, they must see now.
    if (std::exchange(someone_looked_early_, false)) behind_us_.notify_all();
    if (ready()) return Outcome::look_again;
    lock.unlock();
    const platform::Bell::Wake wake =
        bell_.wait(std::min(deadline.remaining(), interrupt.asked == nullptr && !a_loop_reads_ ? longest : slice));
    if (wake != platform::Bell::Wake::rung && interrupt.pending()) return Outcome::interrupted;
    return Outcome::look_again;
  }

  /// Something of the port itself changed (a link came or went, it was closed): everybody looks. Under the mutex.
  void wake_all() noexcept {
    if (sleeper_ || watched_) bell_.ring();
    if (behind_ != 0) behind_us_.notify_all();
  }

  enum class WhoReads : std::uint8_t { nobody, the_loop };

  /// From now on an event loop waits on the bell: whenever a look finds nothing, the bell is cleared and armed. A loop that
  /// reads the rings out of the bell itself needs no clearing, and is better off: of two looks for different things, the
  /// second would silence a ring that was meant for the first.
  void watch(WhoReads who = WhoReads::nobody) noexcept {
    // From the first watch on the bell is armed or has rung, whoever asks for it how often; unless a loop reads it, which
    // may not have looked since.
    const bool in_order = watched_ && !a_loop_reads_;
    if (who == WhoReads::nobody) {
      must_clear_ = true;
    } else {
      a_loop_reads_ = true;
    }
    watched_ = true;
    if (!in_order || a_loop_reads_) bell_.ring();  // the loop looks once, and that look arms
  }

  /// A look that found nothing, in a watched port: `ready()` is asked again after arming. True: there is something after all.
  template <class Ready>
  bool rearm(Armable& port, Ready&& ready, Ring ring = Ring::silence) {
    if (!watched_ || armed_) return false;  // a sleeper that has armed hears what comes, and rings for the loop
    if (must_clear_ && ring == Ring::silence) bell_.clear();
    port.arm(next_sleep());
    store_then_look_fence();
    if (!ready()) return false;
    bell_.ring();  // there may be more than the caller takes, of which nobody would ring again
    return true;
  }

 private:
  friend struct TestAccess;

  static constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t an_hour =
      3'600'000'000'000;  // nanoseconds: longer than any step, and no clock overflows
  // How often a wait is interrupted to ask for signals that went to another thread: people wait this long for Ctrl-C. Beside
  // a loop in another thread that reads the rings out of the bell, also how long such a ring can be missed.
  static constexpr std::int64_t slice = 100'000'000;  // nanoseconds
  static constexpr std::int64_t nap = 500'000;        // nanoseconds
  static constexpr std::int64_t longest_adaptive =
      20'000;                                             // nanoseconds: about half of what a sleep and a wake-up cost
  static constexpr std::int64_t shortest_adaptive = 500;  // nanoseconds: enough to notice that it got worth it again
  // Nanoseconds within which whoever has a core of its own answers. After that, who brings may be waiting for ours: two that
  // spin on one core would else hold each other up for a time slice, some milliseconds.
  static constexpr std::int64_t soon = 50'000;

  /// 0 means that nobody sleeps.
  std::uint64_t next_sleep() noexcept {
    if (++sleep_ == 0) ++sleep_;
    return sleep_;
  }

  Outcome wait_behind(std::unique_lock<std::mutex>& lock, const Deadline& deadline, const Interrupt& interrupt) {
    ++behind_;
    someone_looked_early_ = !armed_;
    const std::int64_t span = std::min({deadline.remaining(), interrupt.asked == nullptr ? longest : slice, an_hour});
    behind_us_.wait_for(lock, std::chrono::nanoseconds(span));
    --behind_;
    if (interrupt.asked == nullptr) return Outcome::look_again;
    lock.unlock();  // the answer may need a lock of the language's own
    const bool stop = interrupt.pending();
    lock.lock();
    return stop ? Outcome::interrupted : Outcome::look_again;
  }

  /// In a watched port the bell may still ring for a loop that has not looked, and nobody can sleep on it. Called while the
  /// caller's look holds: if that was for the same as the loop's, there is nothing to ring for; else we look again after a
  /// nap, by when the loop should have looked.
  bool is_kept_awake(std::unique_lock<std::mutex>& lock, const Deadline& deadline, Ring ring) {
    if (ring == Ring::silence) {
      bell_.clear();
      owes_a_ring_ = true;
      return false;
    }
    if (bell_.wait(0) != platform::Bell::Wake::rung) return false;
    behind_us_.wait_for(lock, std::chrono::nanoseconds(std::min(deadline.remaining(), nap)));
    return true;
  }

  /// Nothing: nothing came while looking.
  template <class Ready>
  std::optional<Outcome> spin(std::unique_lock<std::mutex>& lock, const Deadline& deadline, const Interrupt& interrupt,
                              Ready&& ready) {
    const bool several_cores = platform::fact<platform::core_count>() > 1;
    const std::int64_t span = spin_.is_adaptive() ? (several_cores ? adaptive_ : 0) : spin_.nanoseconds();
    if (span == 0) return std::nullopt;
    const std::int64_t start = platform::monotonic_now();
    std::int64_t asked = start;
    const std::int64_t end = start + std::min({span, deadline.remaining(), an_hour});
    for (std::int64_t now = start; now < end; now = platform::monotonic_now()) {
      if (ready()) {
        adaptive_ = std::clamp((now - start) * 2, adaptive_, longest_adaptive);
        return Outcome::look_again;
      }
      lock.unlock();  // others may release, close or bring a link meanwhile
      if (now - asked >= slice) {
        asked = now;
        if (interrupt.pending()) return Outcome::interrupted;
      }
      if (now - start < soon) {
        for (int i = 0; i < 16; ++i) relax();
      } else {
        std::this_thread::yield();
      }
      lock.lock();
    }
    adaptive_ = std::max(shortest_adaptive, adaptive_ / 2);
    return std::nullopt;
  }

  static void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  void wake_up(Armable& port) noexcept {
    sleeper_ = false;
    if (std::exchange(armed_, false)) {
      bell_.clear();
      port.arm(0);
      owes_a_ring_ = true;
      fault_point("sleep.over");
    }
    // The loop that waits on the same bell must look, and arm again.
    if (std::exchange(owes_a_ring_, false) && watched_) bell_.ring();
    // All of them: one becomes the next sleeper. If only one were told, and it left because its own time is over, or with
    // what it came for, the others would wait behind nobody.
    if (behind_ != 0) behind_us_.notify_all();
  }

  platform::Bell bell_;
  Spin spin_;
  std::int64_t adaptive_ = shortest_adaptive;  // nanoseconds
  std::uint64_t sleep_ = 0;                    // number of the last sleep
  bool armed_ = false;                         // the sleeper has told the peers
  bool sleeper_ = false;                       // a thread sleeps on the bell, or is about to
  bool someone_looked_early_ = false;          // and waits behind a sleeper that had told no peer by then
  bool owes_a_ring_ = false;                   // to the loop: it silenced the bell, or disarmed
  bool watched_ = false;
  bool must_clear_ = false;    // a loop watches that does not read the bell
  bool a_loop_reads_ = false;  // rings out of the bell
  unsigned behind_ = 0;        // threads that wait behind it
  std::condition_variable behind_us_;
};

}  // namespace memlane::detail
