#include "trial.hpp"

#include "memlane/platform/linux/sys.hpp"

namespace memlane::nth_call {
namespace {

/// The codes that may tell of an errno. Most have one; what a peer did wrong, or what a broken link says, has its own.
bool fits(ErrorCode code, const Fault& fault) {
  if (code == detail::platform::sys::code_of(fault.error)) return true;
  const std::string_view call = fault.call;
  if (call == "fcntl(F_GET_SEALS)") return code == ErrorCode::corrupt;  // "not sealed"
  if (call == "access" || call == "mkdir") return code == ErrorCode::permission_denied || code == ErrorCode::system;
  if (call == "fstat") return code == ErrorCode::foreign_directory;  // "it cannot be looked at"
  // A link that was dropped says why in its text; a lack of memory on one side is told as what it is on the other.
  return call == allocation && (code == ErrorCode::out_of_memory || code == ErrorCode::corrupt);
}

}  // namespace

void Trial::hear(const char* what, const Error& error) {
  ++told_;
  const std::string message = error.what();
  words_.insert(std::string(what) + ": [" + std::string(to_string(error.code())) + "] " + message);
  if (!fault_) {
    ADD_FAILURE() << what << " without a fault: " << message;
    return;
  }
  EXPECT_TRUE(fits(error.code(), *fault_))
      << what << ": " << to_string(error.code()) << " is not what this failure is: " << message;
  // For people: a sentence that says what could not be done, and no number alone.
  EXPECT_GE(message.size(), 20U) << message;
  EXPECT_NE(message.find(' '), std::string::npos) << message;
}

bool Trial::send(Publisher& publisher, std::size_t bytes, SendInfo info) {
  const std::uint64_t number = next_;
  const auto content = test::payload(bytes, number);
  std::size_t reached = 0;
  const auto sent_before = publisher.stats().sent;
  if (!attempt("sending", [&] { reached = publisher.send_copy(content, info); })) {
    EXPECT_EQ(publisher.stats().sent, sent_before) << "a send that failed has reached nobody";
    return false;
  }
  ++next_;
  EXPECT_EQ(publisher.stats().sent, number);
  if (reached != 0) outstanding_.insert(number);
  return true;
}

std::optional<Sample> Trial::take(Subscriber& subscriber, Timeout timeout) {
  std::optional<Sample> sample;
  if (!attempt("taking", [&] { sample = subscriber.take(timeout); }) || !sample) return std::nullopt;
  EXPECT_GT(sample->sequence(), last_taken_) << "out of order, or twice";
  last_taken_ = sample->sequence();
  EXPECT_TRUE(test::is_payload(sample->bytes(), last_taken_)) << "sample " << last_taken_ << " has changed";
  outstanding_.erase(last_taken_);
  return sample;
}

void Trial::expect_promises_kept(Subscriber& subscriber) {
  const auto all_here = [&] {
    while (!outstanding_.empty() && take(subscriber, std::chrono::milliseconds(1))) {
    }
    // A link that was dropped, and of which somebody was told, may cost what was on its way.
    return outstanding_.empty() || subscriber.stats().broken != 0;
  };
  EXPECT_TRUE(test::eventually(all_here, std::chrono::seconds(10)))
      << outstanding_.size() << " samples are lost, the first is " << *outstanding_.begin();
}

void Trial::expect_linked_or_told(Publisher& publisher, Subscriber& subscriber) {
  const auto told = [&] { return publisher.stats().broken != 0 || subscriber.stats().broken != 0; };
  EXPECT_TRUE(
      test::eventually([&] { return (publisher.stats().peers == 1 && subscriber.stats().peers == 1) || told(); },
                       std::chrono::seconds(10)))
      << "the ports never met, and nobody was told: publisher " << publisher.stats().peers << ", subscriber "
      << subscriber.stats().peers;
}

}  // namespace memlane::nth_call
