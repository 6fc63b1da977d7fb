// A process that does as it is told: one command a line on its standard input, one answer a line on its standard output.
// Tests play every role with it, kill it and freeze it. Ends when its input ends.
//
//   pub PORT LANE [history=N budget=N label=L send_timeout=MS join_timeout=MS]      sub PORT LANE [depth=N overflow=P …]
//   send PORT SIZE SEED [COUNT]   loan PORT NAME SIZE SEED   send-loan PORT NAME    reserve PORT SIZE COUNT
//   take PORT MS [NAME]           drain PORT COUNT           release NAME           wait-peers PORT N MS
//   flush PORT MS   stats PORT    close PORT   descriptors   exit   fork   directory PATH   become UID
//   limit-descriptors N (that may still be opened)   limit-files BYTES (each)   processor-time (in milliseconds)
//   keep BYTES (of private memory, touched)          dump-core DIRECTORY (aborts, and answers nothing)
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/eventually.hpp"
#include "support/payload.hpp"

namespace {

using namespace memlane;
using std::chrono::milliseconds;

class Actor {
 public:
  std::string obey(const std::string& line) {
    std::istringstream stream(line);
    words_.clear();
    for (std::string word; stream >> word;) words_.push_back(word);
    const std::string& verb = words_.at(0);
    if (verb == "pub") return open_publisher();
    if (verb == "sub") return open_subscriber();
    if (verb == "send") return send();
    if (verb == "loan") return loan();
    if (verb == "send-loan") return number(publishers_.at(words_.at(1)).send(take_loan(words_.at(2))));
    if (verb == "reserve") return publishers_.at(words_.at(1)).reserve(count(2), count(3)), "";
    if (verb == "take") return take();
    if (verb == "drain") return drain();
    if (verb == "release") return samples_.erase(words_.at(1)), "";
    if (verb == "wait-peers") return wait_peers();
    if (verb == "flush") return publishers_.at(words_.at(1)).flush(milliseconds(count(2))) ? "yes" : "no";
    if (verb == "stats") return stats();
    if (verb == "close") return publishers_.erase(words_.at(1)), subscribers_.erase(words_.at(1)), "";
    if (verb == "descriptors") return number(descriptors());
    if (verb == "fork") return number(static_cast<std::uint64_t>(fork_a_sleeper()));
    if (verb == "limit-descriptors") return limit_descriptors(), "";
    if (verb == "limit-files") return limit_files(), "";
    if (verb == "processor-time") return number(processor_time());
    if (verb == "directory") return ::setenv("MEMLANE_DIR", words_.at(1).c_str(), 1), "";
    if (verb == "become") return become(static_cast<uid_t>(count(1))), "";
    if (verb == "keep") return kept_.insert(kept_.end(), count(1), 'x'), "";
    if (verb == "dump-core") dump_core();
    if (verb == "exit") ::exit(0);
    throw std::runtime_error("no such command: " + verb);
  }

 private:
  static std::string number(std::uint64_t value) { return std::to_string(value); }

  static std::uint64_t parse(const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) throw std::runtime_error("no number: " + text);
    return value;
  }
  [[nodiscard]] std::uint64_t count(std::size_t word) const { return parse(words_.at(word)); }

  [[nodiscard]] std::map<std::string, std::string> options() const {
    std::map<std::string, std::string> options;
    for (std::size_t i = 3; i < words_.size(); ++i) {
      const std::size_t equals = words_[i].find('=');
      options[words_[i].substr(0, equals)] = words_[i].substr(equals + 1);
    }
    return options;
  }

  std::string open_publisher() {
    PublisherOptions chosen;
    for (const auto& [key, value] : options()) {
      if (key == "history") chosen.history = static_cast<std::uint32_t>(parse(value));
      if (key == "budget") chosen.memory_budget = parse(value);
      if (key == "label") chosen.label = value;
      if (key == "send_timeout") chosen.send_timeout = milliseconds(parse(value));
      if (key == "join_timeout") chosen.join_timeout = milliseconds(parse(value));
    }
    publishers_.insert_or_assign(words_.at(1), Publisher(words_.at(2), chosen));
    return "";
  }

  std::string open_subscriber() {
    SubscriberOptions chosen;
    for (const auto& [key, value] : options()) {
      if (key == "depth") chosen.depth = static_cast<std::uint32_t>(parse(value));
      if (key == "overflow") chosen.overflow = overflow_from_string(value).value();
      if (key == "label") chosen.label = value;
      if (key == "join_timeout") chosen.join_timeout = milliseconds(parse(value));
    }
    subscribers_.insert_or_assign(words_.at(1), Subscriber(words_.at(2), chosen));
    return "";
  }

  /// COUNT samples; the seed of each is one more than that of the one before. Answers how many each went to, in sum.
  std::string send() {
    const std::uint64_t times = words_.size() > 4 ? count(4) : 1;
    std::uint64_t reached = 0;
    for (std::uint64_t i = 0; i < times; ++i) {
      reached += publishers_.at(words_.at(1)).send_copy(test::payload(count(2), count(3) + i));
    }
    return number(reached);
  }

  std::string loan() {
    Loan loan = publishers_.at(words_.at(1)).loan(count(3));
    test::fill(loan.bytes(), count(4));
    loans_.insert_or_assign(words_.at(2), std::move(loan));
    return "";
  }

  Loan take_loan(const std::string& name) { return std::move(loans_.extract(name).mapped()); }

  /// Answers "SEQUENCE SIZE", or "none". With a name the sample is held, else it is released.
  std::string take() {
    auto sample = subscribers_.at(words_.at(1)).take(milliseconds(count(2)));
    if (!sample) return "none";
    const std::string answer = number(sample->sequence()) + " " + number(sample->size());
    if (words_.size() > 3) samples_.insert_or_assign(words_.at(3), std::move(*sample));
    return answer;
  }

  /// Takes COUNT samples, in order, each with the content that its sequence number says. Answers the last number.
  std::string drain() {
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < count(2); ++i) {
      const auto sample = subscribers_.at(words_.at(1)).take(std::chrono::seconds(30));
      if (!sample) return "only " + number(i);
      if (sample->sequence() <= last) throw std::runtime_error("out of order");
      last = sample->sequence();
      if (!test::is_payload(sample->bytes(), last)) throw std::runtime_error("wrong content");
    }
    return number(last);
  }

  std::string wait_peers() {
    const milliseconds limit(count(3));
    const auto publisher = publishers_.find(words_.at(1));
    const bool there = publisher != publishers_.end()
                           ? publisher->second.wait_for_subscribers(count(2), limit)
                           : subscribers_.at(words_.at(1)).wait_for_publishers(count(2), limit);
    return there ? "yes" : "no";
  }

  /// "sent dropped waiting bytes peers broken" or "received dropped waiting held peers broken".
  std::string stats() {
    std::ostringstream text;
    if (const auto publisher = publishers_.find(words_.at(1)); publisher != publishers_.end()) {
      const auto s = publisher->second.stats();
      text << s.sent << ' ' << s.dropped << ' ' << s.waiting << ' ' << s.bytes << ' ' << s.peers << ' ' << s.broken;
    } else {
      const auto s = subscribers_.at(words_.at(1)).stats();
      text << s.received << ' ' << s.dropped << ' ' << s.waiting << ' ' << s.held << ' ' << s.peers << ' ' << s.broken;
    }
    return text.str();
  }

  static std::uint64_t descriptors() {
    const auto all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::uint64_t>(std::distance(begin(all), end(all)));
  }

  static bool others_sleep() {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      if (task.path().filename() == std::to_string(::gettid())) continue;
      std::ifstream file(task.path() / "stat");
      std::string stat;
      std::getline(file, stat);
      const std::size_t name_end = stat.rfind(") ");
      if (name_end != std::string::npos && stat[name_end + 2] != 'S') return false;
    }
    return true;
  }

  /// The lowest free numbers are used first, so that the limit is met by the next descriptor but N.
  void limit_descriptors() const {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;  // it may have been lower since an earlier one
    ::setrlimit(RLIMIT_NOFILE, &limit);
    // The service thread may still hold what it is about to close.
    if (!test::eventually(others_sleep)) throw std::runtime_error("the other threads do not come to rest");
    int next = ::dup(0);
    std::vector<int> free_numbers;
    for (std::uint64_t i = 0; i <= count(1); ++i) {
      free_numbers.push_back(next);
      next = ::dup(0);
    }
    ::close(next);
    for (const int number : free_numbers) ::close(number);
    limit.rlim_cur = static_cast<rlim_t>(free_numbers.back());
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) throw std::runtime_error("cannot limit descriptors");
  }

  void limit_files() const {
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = count(1);
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("cannot limit files");
  }

  static std::uint64_t processor_time() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto milliseconds_of = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
    return static_cast<std::uint64_t>(milliseconds_of(usage.ru_utime) + milliseconds_of(usage.ru_stime));
  }

  [[noreturn]] void dump_core() const {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    if (::chdir(words_.at(1).c_str()) != 0 || ::setrlimit(RLIMIT_CORE, &unlimited) != 0)
      throw std::runtime_error("cannot have a core dumped there");
    std::abort();
  }

  static void become(uid_t user) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0)
      throw std::runtime_error("cannot become another user");
  }

  /// A child that keeps all it inherited for as long as it lives. Answers its pid.
  static pid_t fork_a_sleeper() {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) ::pause();
    }
    return child;
  }

  std::vector<std::string> words_;
  std::map<std::string, Publisher> publishers_;
  std::map<std::string, Subscriber> subscribers_;
  std::map<std::string, Loan> loans_;
  std::map<std::string, Sample> samples_;
  std::string kept_;
};

}  // namespace

int main() {
  Actor actor;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const std::string answer = actor.obey(line);
      std::cout << "ok" << (answer.empty() ? "" : " ") << answer << std::endl;
    } catch (const Error& error) {
      std::cout << "error " << to_string(error.code()) << ' ' << error.what() << std::endl;
    } catch (const std::exception& error) {
      std::cout << "failed " << error.what() << std::endl;
    }
  }
  return 0;
}
