// The ports of a peer, by name.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memlane/memlane.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "form.hpp"
#include "options.hpp"
#include "verbs.hpp"

namespace conformance {

class Ports {
 public:
  void add_to(Verbs& verbs) {
    verbs.add<Ports>(*this, {{"open-publisher", &Ports::open_publisher},
                             {"open-subscriber", &Ports::open_subscriber},
                             {"close", &Ports::close},
                             {"discard", &Ports::discard},
                             {"wait-for-subscribers", &Ports::wait_for_subscribers},
                             {"wait-for-publishers", &Ports::wait_for_publishers},
                             {"wait-for-any", &Ports::wait_for_any},
                             {"flush", &Ports::flush},
                             {"stats", &Ports::stats},
                             {"await-stats", &Ports::await_stats}});
  }

  memlane::Publisher& publisher(const Form& step, const char* field = "port") {
    return named(publishers_, step.text(field, "main"));
  }
  memlane::Subscriber& subscriber(const Form& step, const char* field = "port") {
    return named(subscribers_, step.text(field, "main"));
  }

  memlane::AnyPort& any_port(const Form& step) { return any_port(step.text("port", "main")); }
  memlane::AnyPort& any_port(const std::string& name) {
    const auto place = publishers_.find(name);
    if (place != publishers_.end()) return place->second;
    return named(subscribers_, name);
  }

  void clear() {
    publishers_.clear();
    subscribers_.clear();
  }

 private:
  static constexpr std::array statistics{"sent", "received", "dropped", "waiting", "held", "bytes", "peers"};

  void open_publisher(const Form& step, Form& reply) {
    const auto [place, opened] =
        publishers_.try_emplace(step.text("as", "main"), lane_of(step), publisher_options(step));
    if (!opened) throw std::invalid_argument("a publisher of that name is open");
    reply.add("name", place->second.name());
  }

  void open_subscriber(const Form& step, Form& reply) {
    const auto [place, opened] =
        subscribers_.try_emplace(step.text("as", "main"), lane_of(step), subscriber_options(step));
    if (!opened) throw std::invalid_argument("a subscriber of that name is open");
    reply.add("name", place->second.name());
  }

  void close(const Form& step, Form&) { any_port(step).close(); }

  void wait_for_subscribers(const Form& step, Form& reply) {
    timed(reply,
          [&] { return publisher(step).wait_for_subscribers(step.number<std::size_t>("n", 1), timeout_of(step)); });
  }

  void wait_for_publishers(const Form& step, Form& reply) {
    timed(reply,
          [&] { return subscriber(step).wait_for_publishers(step.number<std::size_t>("n", 1), timeout_of(step)); });
  }

  void wait_for_any(const Form& step, Form& reply) {
    std::vector<std::reference_wrapper<memlane::AnyPort>> among;
    for (const std::string& name : step.all("among")) among.emplace_back(any_port(name));
    timed(reply, [&] { return !memlane::wait(among, timeout_of(step)).empty(); });
  }

  void flush(const Form& step, Form& reply) {
    timed(reply, [&] { return publisher(step).flush(timeout_of(step)); });
  }

  void stats(const Form& step, Form& reply) {
    const std::string name = step.text("port", "main");
    if (const auto place = publishers_.find(name); place != publishers_.end()) {
      const auto stats = place->second.stats();
      reply.add("sent", stats.sent).add("sent-bytes", stats.sent_bytes).add("dropped", stats.dropped);
      reply.add("waiting", stats.waiting).add("bytes", stats.bytes).add("peers", stats.peers);
      reply.add("broken", stats.broken);
    } else {
      const auto of = subscriber(step).stats();
      reply.add("received", of.received).add("received-bytes", of.bytes).add("dropped", of.dropped);
      reply.add("waiting", of.waiting).add("held", of.held).add("peers", of.peers).add("broken", of.broken);
    }
  }

  /// Until every statistic that the step names has the value it gives, or the time is over; answers what they are then.
  void await_stats(const Form& step, Form& reply) {
    const auto deadline = Clock::now() + Milliseconds(step.number<double>("timeout"));
    for (;;) {
      Form now;
      stats(step, now);
      const bool reached = std::ranges::all_of(
          statistics, [&](const char* name) { return !step.find(name) || step.find(name) == now.find(name); });
      if (reached || Clock::now() > deadline) {
        reply = now;
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  /// Closes a port, and forgets it.
  void discard(const Form& step, Form&) {
    any_port(step).close();
    publishers_.erase(step.text("port"));
    subscribers_.erase(step.text("port"));
  }

  template <class Call>
  static void timed(Form& reply, Call&& call) {
    const auto begin = Clock::now();
    const bool value = call();
    reply.add("value", value).add("elapsed", Milliseconds(Clock::now() - begin).count());
  }

  std::map<std::string, memlane::Publisher> publishers_;
  std::map<std::string, memlane::Subscriber> subscribers_;
};

}  // namespace conformance
