// What the fuzzer of messages must know of a pattern: its honest ports, and their kinds as messages call them.
#pragma once

#include <string>
#include <tuple>

#include "memlane/memlane.hpp"

namespace memlane::fuzz {

struct PublishSubscribe {
  using Sender = Publisher;
  using Receiver = Subscriber;
  static constexpr auto sender_kind = detail::PortKind::publisher;
  static constexpr auto receiver_kind = detail::PortKind::subscriber;

  static Sender open_sender(const std::string& directory) {
    return Publisher("lane", PublisherOptions{.history = 2, .directory = directory});
  }
  static Receiver open_receiver(const std::string& directory) {
    return Subscriber("lane", SubscriberOptions{.directory = directory});
  }
};

using Patterns = std::tuple<PublishSubscribe>;  // another pattern is another entry

}  // namespace memlane::fuzz
