// One run of a scenario with one fault: what was tried, what was told, what was promised, and whether it was kept.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "injection.hpp"
#include "memlane/memlane.hpp"
#include "support/eventually.hpp"
#include "support/payload.hpp"

namespace memlane::nth_call {

/// Two names of one lane directory. A process has an endpoint for each name, so that ports of the one meet those of the other
/// as if they were of two processes: by doors, connections and messages, in reach of the faults on either side.
struct Directories {
  std::filesystem::path near;
  std::filesystem::path far;
  std::string group = {};  // that is let in
};

class Trial {
 public:
  Trial(const Directories& directories, std::optional<Fault> fault) : directories_(directories), fault_(fault) {}

  [[nodiscard]] const std::filesystem::path& near() const noexcept { return directories_.near; }
  [[nodiscard]] const std::filesystem::path& far() const noexcept { return directories_.far; }

  /// Makes a call to the core. False: it failed, in clear words. Anything but an Error (and std::bad_alloc, where an allocation
  /// was to fail) is a failure of the test.
  template <class Call>
  bool attempt(const char* what, Call&& call) {
    try {
      const InTheCore here;
      call();
      return true;
    } catch (const Error& error) {
      hear(what, error);
    } catch (const std::bad_alloc&) {
      if (!fault_ || std::string_view(fault_->call) != allocation) ADD_FAILURE() << what << ": std::bad_alloc";
      ++told_;
    } catch (const std::exception& other) {
      ADD_FAILURE() << what << ": " << other.what();
    }
    return false;
  }

  /// Opens a port; nothing if that failed, in clear words.
  std::optional<Publisher> publisher(const std::filesystem::path& directory, PublisherOptions options = {}) {
    std::optional<Publisher> port;
    options.directory = directory;
    options.group = directories_.group;
    options.join_timeout = test::patience;
    attempt("opening a publisher", [&] { port.emplace("lane", options); });
    return port;
  }
  std::optional<Subscriber> subscriber(const std::filesystem::path& directory, SubscriberOptions options = {}) {
    std::optional<Subscriber> port;
    options.directory = directory;
    options.group = directories_.group;
    options.join_timeout = test::patience;
    attempt("opening a subscriber", [&] { port.emplace("lane", options); });
    return port;
  }

  /// Lets go of a port, or of a sample.
  template <class Thing>
  void end(std::optional<Thing>& thing) {
    attempt("ending", [&] { thing.reset(); });
  }

  /// Sends `bytes` bytes that follow from the number of the sample. True: sent.
  bool send(Publisher& publisher, std::size_t bytes, SendInfo info = {});

  /// Takes the next sample and checks it. Nothing: there was none within a moment, or the call failed.
  std::optional<Sample> take(Subscriber& subscriber, Timeout timeout = test::patience);

  /// What was promised to that one subscriber arrives, unless it was told that the link was dropped.
  void expect_promises_kept(Subscriber& subscriber);
  /// Both ports know each other, or at least one of them was told why not.
  void expect_linked_or_told(Publisher& publisher, Subscriber& subscriber);

  /// Errors, of calls that failed or links that were dropped; a std::bad_alloc counts and has no words.
  [[nodiscard]] std::size_t told() const noexcept { return told_; }
  [[nodiscard]] const std::set<std::string>& words() const noexcept { return words_; }

 private:
  void hear(const char* what, const Error& error);

  const Directories& directories_;
  std::optional<Fault> fault_;
  std::size_t told_ = 0;
  std::uint64_t next_ = 1;               // sample to send
  std::set<std::uint64_t> outstanding_;  // promised and not taken yet
  std::uint64_t last_taken_ = 0;
  std::set<std::string> words_;
};

}  // namespace memlane::nth_call
