// What happens to the victim at a fault point of the core, as its environment says:
//
//   MEMLANE_FAULT         POINT:N:ACTION, several with commas between: at the N-th time that POINT is passed, ACTION
//   MEMLANE_FAULT_REPORT  a descriptor: "POINT ACTION CHILD" goes there just before; CHILD is 0 if none was made
//   MEMLANE_FAULT_LEASH   a descriptor: who lives on in a child, or after an exec, does so until its other end closes
//   MEMLANE_FAULT_TRACE   a file: gets the name of every point that is passed
//   MEMLANE_FAULT_LIST    anything: print the points and who passes them, and exit
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memlane/memlane.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using memlane::detail::fault_points;
using memlane::detail::FaultPoint;

enum class Action { kill, stop, exit, exit_at_once, terminate, exec, fork, fork_die, clone_die };

constexpr std::array<std::pair<std::string_view, Action>, 9> actions{{
    {"kill", Action::kill},
    {"stop", Action::stop},
    {"exit", Action::exit},
    {"exit-at-once", Action::exit_at_once},
    {"terminate", Action::terminate},
    {"exec", Action::exec},
    {"fork", Action::fork},
    {"fork-die", Action::fork_die},
    {"clone-die", Action::clone_die},
}};

struct Fault {
  std::size_t point;
  std::uint64_t passage;
  Action action;
};

// Set once, before main, and never destroyed: threads may pass points while the program ends.
std::vector<Fault>& faults = *new std::vector<Fault>;
std::array<std::atomic<std::uint64_t>, fault_points.size()> passages{};
int report = -1;
int leash = -1;
int trace = -1;

void tell(int where, const std::string& line) noexcept {
  if (where < 0) return;
  [[maybe_unused]] const auto written = ::write(where, line.data(), line.size());
}

/// Lives on, without doing anything, for as long as the test wants it.
[[noreturn]] void linger() noexcept {
  char nothing = 0;
  while (::read(leash, &nothing, 1) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

void tell_of(const Fault& fault, pid_t child) noexcept {
  std::string line(fault_points[fault.point].name);
  for (const auto& [name, action] : actions) {
    if (action == fault.action) line.append(" ").append(name);
  }
  tell(report, line.append(" ").append(std::to_string(child)).append("\n"));
}

/// A child that does nothing; here when no handler of a fork is still at work in it.
pid_t make_child() noexcept {
  std::array<int, 2> ready{-1, -1};
  if (::pipe(ready.data()) != 0) std::abort();
  const pid_t child = ::fork();
  char word = 0;
  if (child == 0) {
    [[maybe_unused]] const auto written = ::write(ready[1], &word, 1);
    linger();
  }
  [[maybe_unused]] const auto read = ::read(ready[0], &word, 1);
  ::close(ready[0]);
  ::close(ready[1]);
  return child;
}

void die(int signal) noexcept {
  ::kill(::getpid(), signal);
}

/// Another thread ends the program while this one is where it is; then this one goes on.
void exit_from_another_thread() noexcept {
  std::thread([] { std::exit(0); }).detach();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void fire(const Fault& fault) noexcept {
  const Action action = fault.action;
  if (action == Action::fork || action == Action::fork_die) {
    tell_of(fault, make_child());
    if (action == Action::fork_die) die(SIGKILL);
    return;
  }
  if (action == Action::clone_die) {
    // As fork, but no handler runs: the child keeps everything.
    const auto child = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    if (child == 0) linger();
    tell_of(fault, child);
    die(SIGKILL);
    return;
  }
  tell_of(fault, 0);
  switch (action) {
    case Action::kill: die(SIGKILL); break;
    case Action::stop: die(SIGSTOP); break;
    case Action::exit: exit_from_another_thread(); break;
    case Action::exit_at_once: ::_exit(0);
    case Action::terminate: std::terminate();
    case Action::exec:
      ::dup2(leash, 0);
      ::execl("/bin/cat", "cat", static_cast<char*>(nullptr));
      std::abort();
    default: break;
  }
}

void pass(FaultPoint point) noexcept {
  const int error = errno;
  const std::uint64_t passage = ++passages[point.index()];
  if (trace >= 0) tell(trace, std::string(fault_points[point.index()].name) + "\n");
  for (const Fault& fault : faults) {
    if (fault.point == point.index() && fault.passage == passage) fire(fault);
  }
  errno = error;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "MEMLANE_FAULT: %s\n", why.c_str());
  std::_Exit(2);
}

Fault parse(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos) give_up("not POINT:N:ACTION");
  Fault fault{fault_points.size(), 0, Action::kill};
  for (std::size_t i = 0; i < fault_points.size(); ++i) {
    if (fault_points[i].name == text.substr(0, first)) fault.point = i;
  }
  if (fault.point == fault_points.size()) give_up("no such point");
  std::from_chars(text.data() + first + 1, text.data() + second, fault.passage);
  for (const auto& [name, action] : actions) {
    if (name == text.substr(second + 1)) {
      fault.action = action;
      return fault;
    }
  }
  give_up("no such action");
}

int descriptor_of(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? -1 : std::atoi(text);
}

[[noreturn]] void list() {
  for (const auto& point : fault_points) {
    constexpr std::array names{"sender", "receiver", "both"};
    std::printf("%.*s %s\n", static_cast<int>(point.name.size()), point.name.data(),
                names.at(static_cast<std::size_t>(point.by)));
  }
  std::exit(0);
}

[[maybe_unused]] const bool armed = [] {
  if (std::getenv("MEMLANE_FAULT_LIST") != nullptr) list();
  report = descriptor_of("MEMLANE_FAULT_REPORT");
  leash = descriptor_of("MEMLANE_FAULT_LEASH");
  if (const char* const file = std::getenv("MEMLANE_FAULT_TRACE"))
    trace = ::open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (const char* const text = std::getenv("MEMLANE_FAULT")) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(','));
      faults.push_back(parse(one));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    }
  }
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  memlane::detail::fault_point_hook = &pass;
  return true;
}();

}  // namespace
