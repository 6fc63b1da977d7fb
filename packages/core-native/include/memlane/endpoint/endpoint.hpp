// The endpoint: what a process is to the others in a lane directory. One door, one connection to each process it shares a
// lane with, one service thread that sleeps until something arrives.
//
// Made with the first port, gone with the last. The service thread passes handles, hears deaths, links newcomers and takes
// memory back while the program computes. Locks: a port's mutex may be held when the endpoint's is taken, never the other
// way round.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "memlane/endpoint/connection.hpp"
#include "memlane/endpoint/graveyard.hpp"
#include "memlane/endpoint/peer.hpp"
#include "memlane/endpoint/port.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/poller.hpp"
#include "memlane/platform/thread.hpp"
#include "memlane/roster/directory.hpp"
#include "memlane/roster/lane_folder.hpp"

namespace memlane::detail {

class Endpoint {
 public:
  /// Use EndpointTable::open: a process has one endpoint in a directory.
  Endpoint(const std::string& path, const platform::Access& access)
      : directory_(path, access),
        id_(EndpointId::fresh()),
        door_name_(id_.door_name()),
        generation_(platform::fork_generation()),
        door_(platform::open_door(directory_.ref(), door_name_)) {
    try {
      poller_.add(door_, door_key);
      thread_ = platform::start_thread([this] { serve(); });
      fault_point("service.started");
    } catch (...) {
      platform::remove_file(directory_.handle(), door_name_);
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
    const std::lock_guard lock(mutex_);
    say_last_words();
    if (!names_stay_) platform::remove_file(directory_.handle(), door_name_);
    fault_point("door.removed");
    door_.reset();
    for (const auto& [key, watched] : watched_) platform::hang_up(watched.connection->socket());
    fault_point("connections.shut");
  }

  /// Gives the port a number, under which messages find it. From now on it is joining.
  [[nodiscard]] std::uint64_t add(const std::shared_ptr<Port>& port) {
    const std::lock_guard lock(mutex_);
    if (program_ends_) throw Error(ErrorCode::closed, "the program is ending: no port can be opened any more");
    const std::uint64_t number = next_port_++;
    const auto joining = joining_.insert(number).first;
    try {
      ports_[number] = port;
    } catch (...) {
      joining_.erase(joining);
      throw;
    }
    return number;
  }

  /// The port's names are in place, and it takes them away itself.
  void announced(std::uint64_t port) noexcept {
    const std::lock_guard lock(mutex_);
    joining_.erase(port);
  }

  void remove(std::uint64_t port) noexcept {
    const std::lock_guard lock(mutex_);
    ports_.erase(port);
    joining_.erase(port);
  }

  /// The program ends with ports open. Their names go, unless another thread is just putting some in place: then all stay,
  /// as if we had been killed, and the door marks them for whoever comes next.
  void leave_lanes() {
    {
      const std::lock_guard lock(mutex_);
      program_ends_ = true;
      names_stay_ = !joining_.empty();
      if (names_stay_) return;
    }
    remove_names_of(directory_, id_, {id_});
  }

  /// Whether a port is one of this process from which only the calling thread ever takes.
  [[nodiscard]] bool is_confined_to_caller(const PortAddress& address) {
    if (address.endpoint != id_) return false;
    const std::lock_guard lock(mutex_);
    const auto found = ports_.find(address.port);
    const auto port = found == ports_.end() ? nullptr : found->second.lock();
    return port != nullptr && port->is_confined_to_caller();
  }

  struct Reached {
    platform::Knock outcome;
    std::shared_ptr<Peer> peer;  // if answered
  };

  /// The process behind a door; connects and introduces itself if it is not known yet. Never waits.
  [[nodiscard]] Reached reach(const EndpointId& door) {
    const std::lock_guard lock(mutex_);
    const auto known = peers_.find(door);
    if (known != peers_.end() && (known->second->is_proved() || door == id_))
      return {platform::Knock::answered, known->second};
    auto knocked = platform::knock(directory_.ref(), door.door_name());
    if (known != peers_.end()) {
      // It came by itself, and gave this name. Only now does it matter whether the name is its own.
      if (knocked.outcome == platform::Knock::answered) {
        if (!comes_from(*known->second, process_behind(knocked.connection))) {
          for (const auto& connection : known->second->connections()) platform::stop_receiving(connection->socket());
          return {platform::Knock::busy, nullptr};  // until the service thread has heard the hang-up
        }
        known->second->prove();
      }
      return {platform::Knock::answered, known->second};
    }
    if (knocked.outcome != platform::Knock::answered) return {knocked.outcome, nullptr};
    HelloBody hello{};
    hello.endpoint[0] = id_.bits[0];
    hello.endpoint[1] = id_.bits[1];
    hello.door[0] = door.bits[0];
    hello.door[1] = door.bits[1];
    hello.pid = platform::process_id();
    put_text(hello.process, platform::process_name());
    const auto connection = watch(knocked.connection, door);
    try {
      auto peer = std::make_shared<Peer>(door, connection, allowance_of(watched_.at(connection->key()).process));
      peer->prove();
      peers_.emplace(door, peer);
      connection->send(compose(MessageType::hello, 0, 0, hello));
      fault_point("hello.sent");
      return {platform::Knock::answered, std::move(peer)};
    } catch (...) {
      forget(connection->key());
      throw;
    }
  }

  /// Asks the service thread to call `on_retry(address)` of the port in a while.
  void retry_later(const std::shared_ptr<Port>& port, const PortAddress& address) {
    const std::lock_guard lock(mutex_);
    retries_.push_back({platform::monotonic_now() + busy_pause, port, address});
    poller_.wake();
  }

  /// Nobody answers at the door: removes it, and its ports' names wherever they are. Done by the service thread.
  void bury(const EndpointId& dead) noexcept {
    attend_to([&] {  // if there is no memory to note it down, the next process to join sweeps
      const std::lock_guard lock(mutex_);
      to_bury_.try_emplace(dead);
      poller_.wake();
    });
  }

 private:
  friend struct TestAccess;

  struct Watched {
    std::shared_ptr<Connection> connection;
    std::optional<EndpointId> peer;  // known since hello
    platform::PeerProcess process;   // whole since hello
    platform::Handle death;          // pidfd; since hello
    std::uint64_t death_key = 0;
    std::string refusal;  // why the peer does without us
  };

  struct Retry {
    std::int64_t at;
    std::weak_ptr<Port> port;
    PortAddress address;
  };

  struct Burial {
    std::int64_t at = 0;
    int attempts = 0;
  };

  static constexpr std::uint64_t door_key = 1;
  static constexpr std::int64_t busy_pause = 20'000'000;  // nanoseconds until a busy door is tried again
  static constexpr std::int64_t descriptor_pause =
      100'000'000;  // nanoseconds until a door is opened again for which no descriptor was left
  static constexpr std::int64_t first_burial_pause = 1'000'000;  // nanoseconds; doubled each time
  static constexpr int most_attempts = 100;                      // to take in a message, 1 ms apart
  static constexpr int last_rounds = 16;                         // of looking for what has happened, when we end
  static constexpr int most_burials = 12;                        // attempts: 8 seconds in all
  static constexpr std::size_t most_newcomers = 128;             // connections that have not said hello
  static constexpr int most_at_a_time = 16;                      // newcomers let in before others are attended to
  static constexpr int most_crowds = 256;  // of them in the door's queue: the system limits it to fewer
  // Connections of one process that have. It needs one for each copy of this library in it; those that it has just closed
  // may not have been heard to hang up yet.
  static constexpr std::ptrdiff_t most_of_one_process = 64;
  static constexpr std::int64_t last_words = 1'000'000'000;  // nanoseconds for queued messages when the endpoint ends

  /// Under mutex_, when the service thread is gone.
  void say_last_words() noexcept {
    const std::int64_t until = platform::monotonic_now() + last_words;
    for (const auto& [key, watched] : watched_) {
      while (watched.connection->has_queued() && platform::monotonic_now() < until) {
        watched.connection->flush();
        if (watched.connection->has_queued()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  }

  /// Under mutex_. If it throws, nothing was done.
  std::shared_ptr<Connection> watch(platform::Handle& socket, std::optional<EndpointId> peer) {
    const std::uint64_t key = next_key_++;
    auto connection = std::make_shared<Connection>(platform::Handle(), poller_, key);
    Watched& watched = watched_.emplace(key, Watched{connection, {}, {}, {}, 0, {}}).first->second;
    connection->adopt(socket);
    try {
      if (peer) {
        identify(watched, *peer);
        watched.peer = peer;
      } else {
        watched.process = platform::peer_process(connection->socket(), {});
      }
      poller_.add(connection->socket(), key);
    } catch (...) {
      connection->adopt(socket);  // back
      forget(key);
      throw;
    }
    if (!peer) ++newcomers_;
    return connection;
  }

  /// Who it is, and a watch on its death. For who has said hello: until then a connection costs one descriptor.
  /// It may be tried again where something was missing.
  void identify(Watched& watched, const EndpointId& peer) {
    const Connection& connection = *watched.connection;
    if (watched.death) return;
    platform::Handle death = platform::peer_death_handle(connection.socket());
    watched.process = platform::peer_process(connection.socket(), death);
    if (peer == id_ || !death) return;
    const std::uint64_t key = next_key_++;
    deaths_[key] = connection.key();
    try {
      poller_.add(death, key);
    } catch (...) {
      deaths_.erase(key);
      throw;
    }
    watched.death = std::move(death);
    watched.death_key = key;
  }

  [[nodiscard]] static platform::PeerProcess process_behind(const platform::Handle& connection) {
    return platform::peer_process(connection, platform::peer_death_handle(connection));
  }

  /// The one of the process, if another endpoint of it is known. Under mutex_.
  [[nodiscard]] std::shared_ptr<Allowance> allowance_of(const platform::PeerProcess& process) const {
    if (process.pid == platform::process_id()) return std::make_shared<Allowance>(Allowance::Limit::none);
    if (!process.is_known()) return std::make_shared<Allowance>();
    for (const auto& [key, watched] : watched_) {
      if (!watched.peer || !watched.process.is_known() || !watched.process.may_be(process)) continue;
      if (const auto peer = peers_.find(*watched.peer); peer != peers_.end()) return peer->second->allowance();
    }
    return std::make_shared<Allowance>();
  }

  /// Whether a peer's connections may come from that process. Under mutex_.
  [[nodiscard]] bool comes_from(const Peer& peer, const platform::PeerProcess& process) const {
    return std::ranges::all_of(peer.connections(), [&](const auto& connection) {
      const auto watched = watched_.find(connection->key());
      return watched == watched_.end() || watched->second.process.may_be(process);
    });
  }

  // ---- the service thread ----

  void serve() {
    attend_to([&] { sweep_directory(directory_, id_); });
    std::vector<platform::Poller::Event> events;
    while (!stopping_.load(std::memory_order_acquire)) {
      attend_to([&] { poller_.wait(events, milliseconds_until_next_timer()); });
      for (const auto& event : events) attend_to([&] { handle(event); });
      attend_to([&] { run_timers(); });
      attend_to([&] { bury_the_dead(); });
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
        if (event.key != door_key) attend_to([&] { handle(event); });
      }
    }
    for (int round = 0; round < last_rounds; ++round) {
      bury_the_dead();
      const std::lock_guard lock(mutex_);
      if (to_bury_.empty()) return;
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
    if (event.key == door_key) {
      let_newcomers_in();
      return;
    }
    std::uint64_t key = event.key;
    bool process_ended = false;
    std::shared_ptr<Connection> connection;
    {
      const std::lock_guard lock(mutex_);
      if (const auto death = deaths_.find(key); death != deaths_.end()) {
        key = death->second;
        process_ended = true;
      }
      const auto watched = watched_.find(key);
      if (watched == watched_.end()) return;
      connection = watched->second.connection;
    }
    if (event.writable) flush(*connection);
    if (event.readable) receive_all(connection, process_ended);
  }

  /// False: perhaps not all. A bounded number at a time, so that a crowd at the door does not keep the others waiting.
  bool let_newcomers_in() {
    for (int i = 0; i < most_at_a_time; ++i) {
      platform::Handle socket;
      {
        const std::lock_guard lock(mutex_);
        if (unwatched_.size() >= most_newcomers) {
          shut_door_for_a_while();
          return true;
        }
        unwatched_.reserve(unwatched_.size() + 1);  // whoever is accepted has a place
      }
      switch (platform::accept_newcomer(door_, socket)) {
        case platform::Accept::nobody_waits: return true;
        case platform::Accept::no_descriptor_left: {
          const std::lock_guard lock(mutex_);
          shut_door_for_a_while();
          return true;
        }
        case platform::Accept::accepted: break;
      }
      if (!platform::peer_is_let_in(socket, directory_.access())) continue;
      std::shared_ptr<Connection> newcomer;
      {
        const std::lock_guard lock(mutex_);
        unwatched_.push_back(std::move(socket));
        newcomer = watch_newcomers();
      }
      fault_point("door.accepted");
      // Who is honest has said hello by now, or is being held up between two system calls.
      receive_all(newcomer, false);
      send_a_silent_one_away();
    }
    return false;
  }

  /// Whether its peer may have made a connection too that we have not heard of: two that call each other at the same moment
  /// both do.
  [[nodiscard]] bool may_have_another(const Connection& connection) {
    const std::lock_guard lock(mutex_);
    const auto watched = watched_.find(connection.key());
    if (watched == watched_.end() || !watched->second.peer || *watched->second.peer == id_) return false;
    const auto known = peers_.find(*watched->second.peer);
    return known != peers_.end() && known->second->connections().size() == 1;
  }

  /// Hears everybody who has come to the door and has not said who it is.
  void hear_newcomers() {
    if (at_the_door_) return;  // one that has come and gone is lost on the way: no need to begin again
    at_the_door_ = true;
    const std::unique_ptr<bool, void (*)(bool*)> leave(&at_the_door_, [](bool* there) { *there = false; });
    for (int crowds = 0; crowds < most_crowds && !let_newcomers_in(); ++crowds) {
    }
    std::vector<std::shared_ptr<Connection>> silent;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, watched] : watched_) {
        if (!watched.peer) silent.push_back(watched.connection);
      }
    }
    for (const auto& newcomer : silent) receive_all(newcomer, false);
  }

  /// Under mutex_. Newcomers wait in the door's queue. Looking on would spin.
  void shut_door_for_a_while() noexcept {
    poller_.remove(door_);
    reopen_door_at_ = platform::monotonic_now() + descriptor_pause;
  }

  /// Under mutex_. Whoever cannot be watched now, since the system lacks something, is later: it has no other way to us, and
  /// would take a closed connection for our death. Returns the one that came last.
  std::shared_ptr<Connection> watch_newcomers() {
    std::shared_ptr<Connection> last;
    while (!unwatched_.empty()) {
      watch_newcomers_at_ = platform::monotonic_now() + busy_pause;
      auto watched = watch(unwatched_.back(), std::nullopt);
      unwatched_.pop_back();
      if (!last) last = std::move(watched);
    }
    watch_newcomers_at_ = 0;
    return last;
  }

  /// Sends what waits, and tells the ports of room that they had wanted.
  void flush(Connection& connection) {
    const auto ports = all_ports();
    if (!connection.flush()) return;
    for (const auto& port : ports) port->on_room();
  }

  /// If too many newcomers say nothing, the oldest one of the process that has the most of them goes.
  void send_a_silent_one_away() {
    std::shared_ptr<Connection> oldest;
    {
      const std::lock_guard lock(mutex_);
      if (newcomers_ <= most_newcomers) return;
      std::map<std::int64_t, std::vector<std::shared_ptr<Connection>>> silent;  // by pid
      for (const auto& [key, watched] : watched_) {
        if (!watched.peer) silent[watched.process.pid].push_back(watched.connection);
      }
      const auto most = std::ranges::max_element(silent, {}, [](const auto& each) { return each.second.size(); });
      oldest = most->second.front();
    }
    lose(oldest);
  }

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
        case platform::Arrived::Kind::hang_up:
        case platform::Arrived::Kind::malformed: return lose(connection);
        case platform::Arrived::Kind::message:
          if (!take_in(connection, std::span(buffer).first(arrived.bytes), arrived)) return lose(connection);
      }
    }
  }

  /// As dispatch(), tried again for a moment where the system lacks something: the message is out of the connection, and a
  /// peer that is not answered would wait for ever.
  bool take_in(const std::shared_ptr<Connection>& connection, std::span<const std::byte> message,
               platform::Arrived& arrived) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      try {
        return dispatch(connection, message, arrived);
      } catch (const std::exception&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    connection->send(refusal("it lacks memory or descriptors"));
    return false;
  }

  /// False: the peer does not speak our language, and the connection must go.
  bool dispatch(const std::shared_ptr<Connection>& connection, std::span<const std::byte> message,
                platform::Arrived& arrived) {
    MessageHeader header{};
    if (message.size() < sizeof header) return false;
    std::memcpy(&header, message.data(), sizeof header);
    if (header.magic != message_magic) return false;
    if (header.version != layout_version) {
      connection->send(refusal("another layout version"));
      return false;
    }
    if (header.bytes != message.size() || header.handles > platform::max_handles) return false;
    if (arrived.handles_lost ? arrived.handles.size() >= header.handles : arrived.handles.size() != header.handles)
      return false;
    const auto body = message.subspan(sizeof header);
    const auto type = static_cast<MessageType>(header.type);

    if (type == MessageType::hello) return on_hello(*connection, body);

    std::shared_ptr<Peer> peer;
    std::shared_ptr<Port> port;
    {
      const std::lock_guard lock(mutex_);
      const auto watched = watched_.find(connection->key());
      if (watched == watched_.end()) return true;
      if (!watched->second.peer) return false;
      if (type == MessageType::refuse) {
        if (const auto refused = parse<RefuseBody>(body)) watched->second.refusal = get_text(refused->reason);
        return false;
      }
      const auto known = peers_.find(*watched->second.peer);
      if (known == peers_.end()) return false;
      peer = known->second;
      if (const auto found = ports_.find(header.to_port); found != ports_.end()) port = found->second.lock();
    }
    if (port) {
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
    if (!hello || EndpointId{{hello->door[0], hello->door[1]}} != id_) return false;
    const EndpointId id{{hello->endpoint[0], hello->endpoint[1]}};
    if (const auto impostor = find_impostor(connection, id)) {
      // Nobody at the door is heard meanwhile: what the newcomer says next would come before its hello.
      const struct Restore {
        bool& there;
        bool before;
        ~Restore() { there = before; }
      } restore{at_the_door_, std::exchange(at_the_door_, true)};
      lose(impostor);
    }
    return admit(connection, id);
  }

  /// Somebody else who gave that name before, if the door of that name says that it is the newcomer's.
  [[nodiscard]] std::shared_ptr<Connection> find_impostor(const Connection& newcomer, const EndpointId& id) {
    const std::lock_guard lock(mutex_);
    const auto known = peers_.find(id);
    if (known == peers_.end() || known->second->is_proved()) return nullptr;
    const platform::PeerProcess process = process_behind(newcomer.socket());
    if (comes_from(*known->second, process)) return nullptr;
    const auto knocked = platform::knock(directory_.ref(), id.door_name());
    const bool is_its_own =
        knocked.outcome == platform::Knock::answered && process_behind(knocked.connection).may_be(process);
    return is_its_own ? known->second->connections().front() : nullptr;
  }

  bool admit(const Connection& connection, const EndpointId& id) {
    const std::lock_guard lock(mutex_);
    const auto watched = watched_.find(connection.key());
    if (watched == watched_.end() || watched->second.peer) return false;
    Watched& newcomer = watched->second;
    const platform::PeerProcess process = process_behind(connection.socket());
    if (id == id_ && process.pid != platform::process_id()) return false;
    if (process.is_known() && std::ranges::count_if(watched_, [&](const auto& each) {
                                const platform::PeerProcess& other = each.second.process;
                                return each.second.peer && other.is_known() && other.may_be(process);
                              }) >= most_of_one_process)
      return false;
    const auto known = peers_.find(id);
    if (known != peers_.end() && !comes_from(*known->second, process)) return false;  // the name is another's
    identify(newcomer, id);
    if (known != peers_.end()) {
      known->second->add(newcomer.connection);
    } else {
      peers_.emplace(id, std::make_shared<Peer>(id, newcomer.connection, allowance_of(process)));
    }
    newcomer.peer = id;  // from here on nothing fails: what failed is tried again
    --newcomers_;
    fault_point("hello.heard");
    return true;
  }

  /// The connection is over, and with it its peer. What the peer had sent on its other connection is heard first, even if
  /// that one still waits at the door. models/join.pml is a model of this. If the system lacks something for a step, the
  /// connection is still watched, says so again, and all is done again.
  void lose(const std::shared_ptr<Connection>& connection) {
    if (may_have_another(*connection)) hear_newcomers();
    EndpointId id;
    std::string why;
    std::vector<std::shared_ptr<Connection>> all;
    {
      const std::lock_guard lock(mutex_);
      const auto watched = watched_.find(connection->key());
      if (watched == watched_.end()) return;
      if (!watched->second.peer) {
        --newcomers_;
        return forget(connection->key());
      }
      id = *watched->second.peer;
      const auto known = peers_.find(id);
      // Our own connection to ourselves ends only with us.
      if (known == peers_.end() || id == id_) return forget(connection->key());
      why = watched->second.refusal;
      all = known->second->connections();
    }
    // Before the ports hear of it: a port that offers a link at this moment either fails to send, or is told after it.
    for (const auto& each : all) each->mark_gone();
    fault_point("death.heard");
    for (const auto& other : all) {
      if (other != connection) drain(other);
    }
    for (const auto& port : all_ports()) port->on_peer_gone(id, why);
    fault_point("death.told");
    {
      const std::lock_guard lock(mutex_);
      peers_.erase(id);
      for (const auto& each : all) forget(each->key());
    }
    bury(id);
  }

  /// Hears the last messages of a peer.
  void drain(const std::shared_ptr<Connection>& connection) {
    // What it has sent, and not what a process that lives on goes on sending.
    platform::stop_receiving(connection->socket());
    alignas(MessageHeader) std::array<std::byte, max_message> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (;;) {
      auto arrived = platform::receive_message(connection->socket(), buffer);
      if (arrived.kind != platform::Arrived::Kind::message) return;
      if (!take_in(connection, std::span(buffer).first(arrived.bytes), arrived)) return;
    }
  }

  /// Under mutex_.
  void forget(std::uint64_t key) noexcept {
    const auto watched = watched_.find(key);
    if (watched == watched_.end()) return;
    poller_.remove(watched->second.connection->socket());
    if (watched->second.death) {
      poller_.remove(watched->second.death);
      deaths_.erase(watched->second.death_key);
    }
    watched_.erase(watched);
  }

  [[nodiscard]] std::vector<std::shared_ptr<Port>> all_ports() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Port>> ports;
    for (const auto& [number, port] : ports_) {
      if (auto alive = port.lock()) ports.push_back(std::move(alive));
    }
    return ports;
  }

  [[nodiscard]] int milliseconds_until_next_timer() {
    std::int64_t next = std::numeric_limits<std::int64_t>::max();
    const std::lock_guard lock(mutex_);
    for (const Retry& retry : retries_) next = std::min(next, retry.at);
    if (reopen_door_at_ != 0) next = std::min(next, reopen_door_at_);
    if (watch_newcomers_at_ != 0) next = std::min(next, watch_newcomers_at_);
    for (const auto& [key, watched] : watched_) {
      if (const std::int64_t at = watched.connection->retry_at(); at != 0) next = std::min(next, at);
    }
    for (const auto& [endpoint, burial] : to_bury_) next = std::min(next, burial.at);
    if (next == std::numeric_limits<std::int64_t>::max()) return -1;
    return static_cast<int>(std::clamp<std::int64_t>((next - platform::monotonic_now()) / 1'000'000 + 1, 0, 60'000));
  }

  void run_timers() {
    const std::int64_t now = platform::monotonic_now();
    attend_to([&] { reopen_door(now); });
    attend_to([&] {
      const std::lock_guard lock(mutex_);
      if (watch_newcomers_at_ != 0 && watch_newcomers_at_ <= now) watch_newcomers();
    });
    std::vector<std::shared_ptr<Connection>> flushes;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, watched] : watched_) {
        if (const std::int64_t at = watched.connection->retry_at(); at != 0 && at <= now)
          flushes.push_back(watched.connection);
      }
    }
    for (const auto& connection : flushes) flush(*connection);
    while (auto retry = take_due_retry(now)) {
      const auto port = retry->port.lock();
      if (!port) continue;
      try {
        port->on_retry(retry->address);
      } catch (const std::exception&) {
        // No descriptor left to knock with, say: later. Nobody else would make up for it.
        retry_later(port, retry->address);
      }
    }
  }

  void reopen_door(std::int64_t now) {
    const std::lock_guard lock(mutex_);
    if (reopen_door_at_ == 0 || reopen_door_at_ > now) return;
    reopen_door_at_ = now + descriptor_pause;  // if this fails, too
    poller_.add(door_, door_key);
    reopen_door_at_ = 0;
  }

  std::optional<Retry> take_due_retry(std::int64_t now) noexcept {
    const std::lock_guard lock(mutex_);
    const auto due = std::ranges::find_if(retries_, [&](const Retry& retry) { return retry.at <= now; });
    if (due == retries_.end()) return std::nullopt;
    Retry retry = std::move(*due);
    retries_.erase(due);
    return retry;
  }

  void bury_the_dead() {
    std::set<EndpointId> due;
    {
      const std::lock_guard lock(mutex_);
      const std::int64_t now = platform::monotonic_now();
      for (const auto& [endpoint, burial] : to_bury_) {
        if (burial.at <= now) due.insert(endpoint);
      }
    }
    if (due.empty()) return;
    const std::set<EndpointId> answering = bury_if_dead(directory_, id_, due);
    const std::lock_guard lock(mutex_);
    for (const EndpointId& endpoint : due) {
      Burial& burial = to_bury_[endpoint];
      if (!answering.contains(endpoint) || ++burial.attempts == most_burials) {
        to_bury_.erase(endpoint);
      } else {
        burial.at = platform::monotonic_now() + (first_burial_pause << burial.attempts);
      }
    }
  }

  Directory directory_;
  EndpointId id_;
  std::string door_name_;
  std::uint32_t generation_;
  platform::Poller poller_;
  platform::Handle door_;          // after all that can fail: whoever opens a door must take its name away again
  std::thread* thread_ = nullptr;  // a pointer: in a forked child it must neither be joined nor destroyed

  // stopping_: written by whoever ends the endpoint, read by the service thread. Nothing else is published by it.
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  // guards everything below
  std::uint64_t next_port_ = 1;
  std::uint64_t next_key_ = door_key + 1;
  std::map<std::uint64_t, std::weak_ptr<Port>> ports_;
  std::set<std::uint64_t> joining_;  // ports whose names may appear at any moment
  bool program_ends_ = false;
  bool names_stay_ = false;
  std::map<EndpointId, std::shared_ptr<Peer>> peers_;
  std::map<std::uint64_t, Watched> watched_;       // by key
  std::map<std::uint64_t, std::uint64_t> deaths_;  // pidfd's key -> connection's key
  std::size_t newcomers_ = 0;
  std::vector<platform::Handle> unwatched_;  // newcomers for whom something was missing
  std::int64_t watch_newcomers_at_ = 0;
  std::vector<Retry> retries_;
  std::map<EndpointId, Burial> to_bury_;
  std::int64_t reopen_door_at_ = 0;
  bool at_the_door_ = false;  // service thread only
};

}  // namespace memlane::detail
