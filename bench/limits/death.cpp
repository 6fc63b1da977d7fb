// The limit of hearing a death: from the SIGKILL of a process to the hang-up of its socket, which a poll waits for. The
// process is equal to the one of comings-and-goings/death.cpp, with a second thread and as much shared memory, but holds
// nothing else.
//
//   bench-limit-death --trials N --touched BYTES
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include "../common/deaths.hpp"
#include "../common/options.hpp"
#include "../common/other_process.hpp"
#include "../common/result.hpp"

namespace {

void hold(std::uint64_t bytes) {
  if (bytes == 0) return;
  const int memory = ::memfd_create("bench", MFD_CLOEXEC);
  if (memory < 0 || ::ftruncate(memory, static_cast<off_t>(bytes)) != 0) throw std::runtime_error("no memory");
  void* const held = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (held == MAP_FAILED) throw std::runtime_error("no mapping");
  std::memset(held, 1, bytes);
}

[[noreturn]] void be_killed(int socket, std::uint64_t touched) {
  // The highest number is closed first.
  const int last = ::fcntl(socket, F_DUPFD_CLOEXEC, 512);
  ::close(socket);
  hold(touched);
  const std::thread second([] {
    for (;;) ::pause();
  });
  if (last < 0 || ::write(last, "x", 1) != 1) throw std::runtime_error("the socket is gone");
  for (;;) ::pause();
}

std::int64_t time_of_one(std::uint64_t touched) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) throw std::runtime_error("no sockets");
  ::fcntl(ends[1], F_SETFD, 0);
  const bench::OtherProcess other(
      {"--role", "victim", "--socket", std::to_string(ends[1]), "--touched", std::to_string(touched)});
  ::close(ends[1]);
  char there = 0;
  if (::read(ends[0], &there, 1) != 1) throw std::runtime_error("the other process does not come");
  const std::int64_t time = bench::time_until_heard(other, [&] {
    pollfd look{ends[0], POLLIN, 0};
    if (::poll(&look, 1, -1) != 1) throw std::runtime_error("the poll failed");
  });
  ::close(ends[0]);
  return time;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Options options(argc, argv);
    if (options.has("role")) {
      be_killed(static_cast<int>(options.number("socket")), static_cast<std::uint64_t>(options.number("touched")));
    }
    bench::Result result;
    bench::measure_deaths(options, result.add("limit", "death"), time_of_one);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << "death: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
