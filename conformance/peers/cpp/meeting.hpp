// Ports that call each other as soon as they have met.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memlane/memlane.hpp>

#include "form.hpp"
#include "options.hpp"
#include "ports.hpp"
#include "verbs.hpp"

namespace conformance {

class Meeting {
 public:
  explicit Meeting(Ports& ports) : ports_(ports) {}

  void add_to(Verbs& verbs) {
    verbs.add<Meeting>(*this, {{"join-and-call", &Meeting::join_and_call}, {"answer", &Meeting::answer}});
  }

 private:
  /// Joins, and in the same breath calls for a sample: whoever answers sends after this constructor has returned.
  void join_and_call(const Form& step, Form& reply) {
    memlane::Publisher& back = ports_.publisher(step);
    const auto nonce = from_hex(step.text("nonce"));
    const auto wanted = step.number<std::uint64_t>("count");
    memlane::Subscriber joined(lane_of(step), subscriber_options(step));
    back.send_copy({}, {.user_header = nonce});
    std::uint64_t answers = 0;
    while (answers < wanted) {
      const auto sample = joined.take(timeout_of(step));
      if (!sample) break;
      if (std::ranges::equal(sample->user_header(), nonce)) ++answers;
    }
    reply.add("answers", answers);
  }

  /// Answers each of `count` calls with a sample that carries the call's nonce.
  void answer(const Form& step, Form& reply) {
    memlane::Publisher& port = ports_.publisher(step);
    memlane::Subscriber& calls = ports_.subscriber(step, "calls");
    const auto count = step.number<std::uint64_t>("count");
    std::uint64_t answered = 0;
    while (answered < count) {
      const auto call = calls.take(timeout_of(step));
      if (!call) break;
      port.send_copy({}, {.user_header = call->user_header()});
      ++answered;
    }
    reply.add("answered", answered);
  }

  Ports& ports_;
};

}  // namespace conformance
