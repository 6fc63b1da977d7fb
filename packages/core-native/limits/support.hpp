// What the tests of limits have in common.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <sstream>
#include <string>

#include "support/child_process.hpp"

namespace memlane::limits {

using test::ChildProcess;
using test::Peer;

/// "ok yes" of a question of yes or no, and the like: the words behind "ok".
[[nodiscard]] inline std::string answer(ChildProcess& peer, const std::string& question) {
  const std::string line = peer.ask(question);
  EXPECT_TRUE(line.starts_with("ok")) << question << ": " << line;
  return line.size() > 3 ? line.substr(3) : "";
}

[[nodiscard]] inline std::uint64_t number(ChildProcess& peer, const std::string& question) {
  return std::stoull(answer(peer, question));
}

/// One of the numbers that a peer answers to `stats`.
enum class Stat : std::size_t { dropped = 1, waiting = 2, bytes = 3, peers = 4, broken = 5 };

[[nodiscard]] inline std::uint64_t stat(ChildProcess& peer, const std::string& port, Stat which) {
  std::istringstream numbers(answer(peer, "stats " + port));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(which); ++i) numbers >> value;
  EXPECT_TRUE(numbers) << "not so many numbers";
  return value;
}

/// A directory that an ordinary user owns, for peers that become that user.
class OrdinaryUser {
 public:
  static constexpr uid_t id = 65534;

  OrdinaryUser() {
    path_ = (std::filesystem::temp_directory_path() / "ml-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr || ::chown(path_.c_str(), id, id) != 0)
      throw std::runtime_error("cannot make a directory for another user");
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  ~OrdinaryUser() { std::filesystem::remove_all(path_); }

  /// Limits of the whole user do not apply to root, so such tests need somebody else.
  [[nodiscard]] static bool can_be() { return ::geteuid() == 0; }

  [[nodiscard]] std::unique_ptr<Peer> peer(std::initializer_list<std::string> commands = {}) const {
    auto made = std::make_unique<Peer>(
        std::initializer_list<std::string>{"become " + std::to_string(id), "directory " + path_});
    for (const std::string& command : commands) static_cast<void>(answer(*made, command));
    return made;
  }

  [[nodiscard]] bool nothing_is_left() const {
    return test::eventually([&] { return std::filesystem::is_empty(path_); });
  }

 private:
  std::string path_;
};

}  // namespace memlane::limits
