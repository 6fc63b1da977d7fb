// Another process that runs the same program in another role, until it is killed.
#pragma once

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;

namespace bench {

class OtherProcess {
 public:
  explicit OtherProcess(std::vector<std::string> arguments) {
    std::vector<char*> pointers{const_cast<char*>("/proc/self/exe")};
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    if (::posix_spawn(&pid_, pointers[0], nullptr, nullptr, pointers.data(), environ) != 0)
      throw std::runtime_error("cannot start the other process");
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  ~OtherProcess() {
    kill();
    ::waitpid(pid_, nullptr, 0);
  }

  void kill() const noexcept { ::kill(pid_, SIGKILL); }

 private:
  pid_t pid_ = 0;
};

}  // namespace bench
