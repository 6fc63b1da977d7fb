// The endpoint: what a process is to the others in a lane directory. One door, one connection to each process it shares a
// lane with, one service thread that sleeps until something arrives.
//
// Made with the first port, gone with the last. The service thread passes handles, hears deaths, links newcomers and takes
// memory back while the program computes.
//
// Its parts, and the locks: each part that more than one thread uses has a mutex of its own, and none of them is held when
// another part's is taken, nor when a port is called. A port's mutex may be held when one of them is taken.
//
//   PortTable    the ports of this process, by number                        any thread
//   Contacts     the processes it knows, and the connections to them         any thread reaches, the service thread hears
//   Retries      what ports want to try again in a while                     any thread adds, the service thread runs
//   Burials      endpoints at whose door nobody seems to answer              any thread adds, the service thread runs
//   Doorkeeper   the door, and who comes to it                               service thread, no lock
//   Reception    messages and ends, handed to the ports                      service thread, no lock
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "memlane/endpoint/burials.hpp"
#include "memlane/endpoint/contacts.hpp"
#include "memlane/endpoint/doorkeeper.hpp"
#include "memlane/endpoint/graveyard.hpp"
#include "memlane/endpoint/port_table.hpp"
#include "memlane/endpoint/reception.hpp"
#include "memlane/endpoint/retries.hpp"
#include "memlane/platform/clock.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/fork.hpp"
#include "memlane/platform/poller.hpp"
#include "memlane/platform/thread.hpp"
#include "memlane/roster/directory.hpp"

namespace memlane::detail {

class Endpoint {
 public:
  /// Use EndpointTable::open: a process has one endpoint in a directory.
  Endpoint(const std::string& path, const platform::Access& access) : directory_(path, access) {
    try {
      thread_ = platform::start_thread([this] { serve(); });
      fault_point("service.started");
    } catch (...) {
      door_.take_name_away();
      throw;
    }
  }

  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  ~Endpoint() { stop(); }

  [[nodiscard]] const EndpointId& id() const noexcept { return id_; }
  [[nodiscard]] const Directory& directory() const noexcept { return directory_; }
  /// Whether this process is a fork of the one that the endpoint belongs to.
  [[nodiscard]] bool is_parents() const noexcept { return generation_ != platform::fork_generation(); }

  /// Ends the service thread, sends what is still queued, closes the door. Does nothing in a forked child: the thread is
  /// not here, and the descriptors are closed already.
  void stop() noexcept {
    if (is_parents()) return;
    std::thread* const thread = std::exchange(thread_, nullptr);
    if (thread == nullptr) return;
    stopping_.store(true, std::memory_order_release);
    poller_.wake();
    thread->join();
    delete thread;
    contacts_.say_last_words();
    if (!ports_.names_stay()) door_.take_name_away();
    fault_point("door.removed");
    door_.close();
    contacts_.hang_up();
    fault_point("connections.shut");
  }

  /// The program ends with ports open. Their names go, unless another thread is just putting some in place: then all stay,
  /// as if we had been killed, and the door marks them for whoever comes next.
  void leave_lanes() {
    ports_.end_program();
    if (!ports_.names_stay()) remove_names_of(directory_, id_, {id_});
  }

  // ---- for the ports: from any thread, also under a port's mutex ----

  /// Gives the port a number, under which messages find it. From now on it is joining.
  [[nodiscard]] std::uint64_t add(const std::shared_ptr<Port>& port) { return ports_.add(port); }
  /// The port's names are in place, and it takes them away itself.
  void announced(std::uint64_t port) noexcept { ports_.announced(port); }
  void remove(std::uint64_t port) noexcept { ports_.remove(port); }

  /// Whether a port is one of this process from which only the calling thread ever takes.
  [[nodiscard]] bool is_confined_to_caller(const PortAddress& address) const {
    if (address.endpoint != id_) return false;
    const auto port = ports_.find(address.port);
    return port != nullptr && port->is_confined_to_caller();
  }

  /// The process behind a door; connects and introduces itself if it is not known yet. Never waits.
  [[nodiscard]] Contacts::Reached reach(const EndpointId& door) { return contacts_.reach(door); }

  /// Asks the service thread to call `on_retry(address)` of the port in a while.
  void retry_later(const std::shared_ptr<Port>& port, const PortAddress& address) { retries_.add(port, address); }

  /// Nobody answers at the door: removes it, and its ports' names wherever they are. Done by the service thread.
  void bury(const EndpointId& dead) noexcept { burials_.add(dead); }

 private:
  friend struct TestAccess;

  static constexpr int last_rounds = 16;  // of looking for what has happened, when we end

  // ---- the service thread ----

  void serve() {
    attend_to([&] { sweep_directory(directory_, id_); });
    std::vector<platform::Poller::Event> events;
    while (!stopping_.load(std::memory_order_acquire)) {
      attend_to([&] { poller_.wait(events, milliseconds_until_next_timer()); });
      for (const auto& event : events) attend_to([&] { handle(event); });
      attend_to([&] { run_timers(); });
      attend_to([&] { burials_.run_due(); });
    }
    attend_to([&] { settle_accounts(); });
  }

  /// At the end: hears what has happened already, so that who has just died with us as its last peer leaves no name behind.
  void settle_accounts() {
    std::vector<platform::Poller::Event> events;
    for (int round = 0; round < last_rounds; ++round) {
      poller_.wait(events, 0);
      if (events.empty()) break;
      for (const auto& event : events) {
        if (event.key != Doorkeeper::key) attend_to([&] { handle(event); });
      }
    }
    for (int round = 0; round < last_rounds; ++round) {
      burials_.run_due();
      if (burials_.are_done()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  /// A peer's nonsense, or a lack of something, must not end the service: it costs that peer its link at most.
  template <class Duty>
  static void attend_to(Duty&& duty) noexcept {
    try {
      duty();
    } catch (const std::exception&) {
      return;
    }
  }

  void handle(const platform::Poller::Event& event) {
    if (event.key == Doorkeeper::key) {
      reception_.let_newcomers_in();
    } else {
      reception_.handle(event);
    }
  }

  [[nodiscard]] int milliseconds_until_next_timer() const {
    const std::int64_t next =
        std::min({retries_.next_at(), door_.next_at(), contacts_.next_flush_at(), burials_.next_at()});
    if (next == platform::never) return -1;
    return static_cast<int>(std::clamp<std::int64_t>((next - platform::monotonic_now()) / 1'000'000 + 1, 0, 60'000));
  }

  void run_timers() {
    const std::int64_t now = platform::monotonic_now();
    attend_to([&] { door_.reopen_due(now); });
    attend_to([&] { door_.watch_due(now); });
    for (const auto& connection : contacts_.to_flush(now)) reception_.flush(*connection);
    retries_.run_due(now);
  }

  Directory directory_;
  EndpointId id_ = EndpointId::fresh();
  std::uint32_t generation_ = platform::fork_generation();
  platform::Poller poller_;
  PortTable ports_;
  Contacts contacts_{directory_, id_, poller_};
  Retries retries_{poller_};
  Burials burials_{directory_, id_, poller_};
  Doorkeeper door_{directory_, poller_, contacts_};  // after all that can fail: its name must be taken away again
  Reception reception_{door_, contacts_, ports_, burials_};
  std::thread* thread_ = nullptr;  // a pointer: in a forked child it must neither be joined nor destroyed

  // stopping_: written by whoever ends the endpoint, read by the service thread. Nothing else is published by it.
  std::atomic<bool> stopping_{false};
};

}  // namespace memlane::detail
