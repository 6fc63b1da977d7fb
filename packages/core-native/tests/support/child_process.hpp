// A program that a test starts, talks to line by line, freezes and kills. Started by fork and exec, never by fork alone.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/eventually.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has it in no header

namespace memlane::test {

class ChildProcess {
 public:
  /// `program`: one of tests/programs/, or a path.
  explicit ChildProcess(const std::string& program, const std::vector<std::string>& arguments = {}) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    const std::string path = program.starts_with('/') ? program : std::string(MEMLANE_TEST_PROGRAMS) + "/" + program;
#if defined(MEMLANE_TEST_EMULATOR)
    // This process is emulated, and the kernel cannot start a program for the same processor by itself.
    std::vector<std::string> words{MEMLANE_TEST_EMULATOR, path};
#else
    std::vector<std::string> words{path};
#endif
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int error = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
    if (error != 0) throw std::runtime_error("cannot start " + path);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  ~ChildProcess() {
    end_input();
    if (running() && !eventually([&] { return !running(); })) {
      kill();
    }
    ::close(from_);
  }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  void say(const std::string& line) {
    const std::string whole = line + "\n";
    if (::write(to_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
      throw std::runtime_error("the child does not listen");
  }

  /// The next line it says. Throws when it says nothing within `patience`, or never will.
  [[nodiscard]] std::string hear() {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      if (const std::size_t newline = heard_.find('\n'); newline != std::string::npos) {
        std::string line = heard_.substr(0, newline);
        heard_.erase(0, newline + 1);
        return line;
      }
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
      pollfd look{from_, POLLIN, 0};
      const int ready = left <= 0 ? 0 : ::poll(&look, 1, static_cast<int>(left));
      if (ready == 0) throw std::runtime_error("the child says nothing");
      if (ready < 0) continue;  // a signal
      std::array<char, 4096> bytes;
      const ssize_t count = ::read(from_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throw std::runtime_error("the child has ended");
      heard_.append(bytes.data(), static_cast<std::size_t>(count));
    }
  }

  /// A command and its answer.
  std::string ask(const std::string& line) {
    say(line);
    return hear();
  }

  void end_input() noexcept {
    if (to_ >= 0) ::close(std::exchange(to_, -1));
  }

  void signal(int number) const noexcept { ::kill(pid_, number); }

  /// SIGKILL, and nothing of the process is left when this returns.
  void kill() {
    signal(SIGKILL);
    static_cast<void>(wait());
  }

  /// Waits until it stands still, or has ended.
  void freeze() {
    signal(SIGSTOP);
    int status = 0;
    if (::waitpid(pid_, &status, WUNTRACED) == pid_ && !WIFSTOPPED(status)) status_ = status;
  }
  void thaw() const noexcept { signal(SIGCONT); }

  [[nodiscard]] bool running() {
    if (status_ != still_running) return false;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
    status_ = status;
    return false;
  }

  /// Waits for its end; the exit code, or minus the signal that ended it.
  int wait() {
    end_input();
    while (status_ == still_running) {
      int status = 0;
      if (::waitpid(pid_, &status, 0) == pid_) status_ = status;
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }

 private:
  static constexpr int still_running = -1;

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  int status_ = still_running;
  std::string heard_;
};

/// A ChildProcess of tests/programs/peer.cpp.
class Peer : public ChildProcess {
 public:
  Peer() : ChildProcess("peer") {}
  explicit Peer(std::initializer_list<std::string> commands) : Peer() {
    for (const std::string& command : commands) {
      if (const std::string answer = ask(command); !answer.starts_with("ok"))
        throw std::runtime_error(command + ": " + answer);
    }
  }
};

}  // namespace memlane::test
