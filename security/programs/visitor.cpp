// A process of some user that joins lanes as it is told: visitor.py and visitor.mjs are the same in the other languages.
// One command a line on its standard input, one answer a line on its standard output, until the input ends.
//
//   become UID GID GROUPS   for good; GROUPS: numbers with commas between, or -
//   umask OCTAL             pub LANE DIRECTORY GROUP      sub LANE DIRECTORY GROUP      (each: - for none)
//   peers N                 until so many are linked      send SIZE SEED   history of 1
//   take SEED               holds the sample              check SEED       looks at it again
//   release                 what it holds                 flushed        whether all was given back
//   close
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <memlane/memlane.hpp>

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;

std::byte pattern(std::uint64_t seed, std::size_t index) {
  return static_cast<std::byte>((seed + index) % 251);
}

std::string option(const std::string& word) {
  return word == "-" ? "" : word;
}

class Visitor {
 public:
  std::string obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "become") return become(words), "";
    if (verb == "umask") return ::umask(static_cast<mode_t>(std::stoul(next(words), nullptr, 8))), "";
    if (verb == "pub") return open_publisher(words), "";
    if (verb == "sub") return open_subscriber(words), "";
    if (verb == "peers") return peers(std::stoul(next(words))) ? "yes" : "no";
    if (verb == "send") return send(words);
    if (verb == "take") return take(std::stoul(next(words)));
    if (verb == "check") return check(std::stoul(next(words))), "";
    if (verb == "release") return sample_.reset(), "";
    if (verb == "flushed") return publisher_->flush(1s) ? "yes" : "no";
    if (verb == "close") return close(), "";
    throw std::runtime_error("no such command: " + line);
  }

 private:
  static std::string next(std::istringstream& words) {
    std::string word;
    words >> word;
    return word;
  }

  static void become(std::istringstream& words) {
    const auto user = static_cast<uid_t>(std::stoul(next(words)));
    const auto group = static_cast<gid_t>(std::stoul(next(words)));
    std::vector<gid_t> groups;
    std::istringstream list(option(next(words)));
    for (std::string each; std::getline(list, each, ',');) groups.push_back(static_cast<gid_t>(std::stoul(each)));
    if (::setgroups(groups.size(), groups.data()) != 0 || ::setresgid(group, group, group) != 0 ||
        ::setresuid(user, user, user) != 0)
      throw std::runtime_error("cannot become another user");
  }

  void open_publisher(std::istringstream& words) {
    const std::string lane = next(words);
    memlane::PublisherOptions options{.history = 1};
    options.directory = option(next(words));
    options.group = option(next(words));
    publisher_.emplace(lane, options);
  }

  void open_subscriber(std::istringstream& words) {
    const std::string lane = next(words);
    memlane::SubscriberOptions options;
    options.directory = option(next(words));
    options.group = option(next(words));
    subscriber_.emplace(lane, options);
  }

  bool peers(std::size_t count) {
    return publisher_ ? publisher_->wait_for_subscribers(count, patience)
                      : subscriber_->wait_for_publishers(count, patience);
  }

  std::string send(std::istringstream& words) {
    auto loan = publisher_->loan(std::stoul(next(words)));
    const std::uint64_t seed = std::stoul(next(words));
    for (std::size_t i = 0; i < loan.size(); ++i) loan.data()[i] = pattern(seed, i);
    return std::to_string(publisher_->send(std::move(loan)));
  }

  std::string take(std::uint64_t seed) {
    sample_ = subscriber_->take(patience);
    if (!sample_) throw std::runtime_error("no sample came");
    check(seed);
    return std::to_string(sample_->size());
  }

  void check(std::uint64_t seed) const {
    const auto bytes = sample_->bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] != pattern(seed, i))
        throw std::runtime_error("byte " + std::to_string(i) + " is not as it was sent");
    }
  }

  void close() {
    sample_.reset();
    publisher_.reset();
    subscriber_.reset();
  }

  std::optional<memlane::Publisher> publisher_;
  std::optional<memlane::Subscriber> subscriber_;
  std::optional<memlane::Sample> sample_;
};

}  // namespace

int main() {
  Visitor visitor;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const std::string answer = visitor.obey(line);
      std::cout << "ok " << answer << std::endl;
    } catch (const memlane::Error& error) {
      std::cout << "error " << to_string(error.code()) << ": " << error.what() << std::endl;
    } catch (const std::exception& error) {
      std::cout << "error unexpected: " << error.what() << std::endl;
    }
  }
}
