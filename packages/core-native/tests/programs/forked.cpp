// What a forked child may do with the ports of its parent (nothing, and be told so) and with ports of its own (everything).
// Ends with 0 if all was as it should be, else says what was not.
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/payload.hpp"

namespace {

using namespace memlane;
using namespace std::chrono_literals;

int failures = 0;

void check(bool ok, const std::string& what) {
  if (ok) return;
  std::cout << "failed: " << what << std::endl;
  ++failures;
}

template <class Action>
void is_refused(Action&& action, const std::string& what) {
  try {
    action();
    check(false, what + " was accepted");
  } catch (const Error& error) {
    check(error.code() == ErrorCode::forked, what + ": " + error.what());
  }
}

struct Parent {
  Publisher publisher{"parent", {.history = 1}};
  Subscriber subscriber{"parent"};
  Subscriber from_child{"child"};
  std::optional<Sample> sample;
  std::optional<Loan> loan;
};

int child(Parent& inherited) {
  is_refused([&] { static_cast<void>(inherited.publisher.loan(1)); }, "loan");
  is_refused([&] { inherited.publisher.send_copy(test::payload(1, 1)); }, "send");
  is_refused([&] { static_cast<void>(inherited.publisher.stats()); }, "stats");
  is_refused([&] { inherited.publisher.flush(1s); }, "flush");
  is_refused([&] { static_cast<void>(inherited.publisher.fileno()); }, "fileno");
  is_refused([&] { inherited.publisher.stop(); }, "stop");
  is_refused([&] { static_cast<void>(inherited.subscriber.take()); }, "take");
  is_refused([&] { static_cast<void>(inherited.subscriber.take(forever)); }, "take for ever");
  is_refused([&] { inherited.subscriber.wait_for_publishers(1, forever); }, "wait");
  is_refused([&] { static_cast<void>(inherited.sample->data()); }, "a sample's data");
  is_refused([&] { static_cast<void>(inherited.loan->data()); }, "a loan's data");
  check(inherited.publisher.closed() && inherited.subscriber.closed(), "inherited ports are closed");
  inherited.sample->release();
  inherited.loan.reset();
  inherited.publisher.close();
  inherited.subscriber.close();

  Publisher publisher("child");
  check(publisher.send_copy(test::payload(100'000, 7)) == 1, "the child's sample reaches the parent");
  Subscriber subscriber("parent");
  const auto history = subscriber.take(30s);
  check(history && test::is_payload(history->bytes(), 3), "the parent's history reaches the child");
  check(publisher.flush(30s), "the parent takes it");
  return failures;
}

}  // namespace

int main() {
  Parent parent;
  for (const std::uint64_t seed : {1U, 2U, 3U}) parent.publisher.send_copy(test::payload(50'000, seed));
  parent.sample = parent.subscriber.take(30s);
  parent.loan = parent.publisher.loan(10);
  // Threads that wait while the fork happens: what they wait with does not exist in the child.
  Subscriber quiet("quiet");
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) waiting.emplace_back([&] { static_cast<void>(quiet.take(forever)); });
  std::this_thread::sleep_for(20ms);

  const pid_t pid = ::fork();
  if (pid == 0) {
    const int code = child(parent);
    // The ports of the parent are destroyed here too, as they are when a program returns from main.
    {
      const Parent gone = std::move(parent);
    }
    {
      const Subscriber gone = std::move(quiet);
    }
    std::cout.flush();
    ::_exit(code);
  }
  auto from_child = parent.from_child.take(30s);
  check(from_child && test::is_payload(from_child->bytes(), 7), "the child's sample");
  check(from_child && from_child->sender().pid == pid, "is the child's");
  from_child.reset();
  check(test::is_payload(parent.sample->bytes(), 1), "the parent's sample is untouched");
  int status = -1;
  ::waitpid(pid, &status, 0);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child's end: status " + std::to_string(status));
  check(parent.publisher.send_copy(test::payload(10, 4)) >= 1, "the parent goes on");
  quiet.stop();
  quiet.close();
  for (auto& thread : waiting) thread.join();
  std::cout << (failures == 0 ? "ok" : "not ok") << std::endl;
  return failures;
}
