// The limit of a round trip that sleeps: one byte over a pipe there, one byte over another back, blocking reads.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "../common/options.hpp"
#include "../common/result.hpp"
#include "../common/timer.hpp"

int main(int argc, char** argv) {
  const bench::Options options(argc, argv);
  std::array<int, 2> ping{};
  std::array<int, 2> pong{};
  if (::pipe(ping.data()) != 0 || ::pipe(pong.data()) != 0) throw std::runtime_error("no pipe");

  const pid_t peer = ::fork();
  if (peer == 0) {
    ::close(ping[1]);
    char byte = 0;
    while (::read(ping[0], &byte, 1) == 1) {
      if (::write(pong[1], &byte, 1) != 1) std::_Exit(1);
    }
    std::_Exit(0);
  }
  ::close(ping[0]);

  bench::Times times;
  std::int64_t before = bench::now();
  bench::repeat(options.number("seconds"), 1000, [&](std::uint64_t round) {
    const char sent = static_cast<char>(round);
    char back = 0;
    if (::write(ping[1], &sent, 1) != 1 || ::read(pong[0], &back, 1) != 1 || back != sent) {
      throw std::runtime_error("the pipe lost a byte");
    }
    const std::int64_t after = bench::now();
    times.add(after - before);
    before = after;
  });
  ::close(ping[1]);
  ::waitpid(peer, nullptr, 0);
  bench::Result().add("limit", "pipe").add("rounds", std::uint64_t{times.count()}).add("ns", times.quantile(0.5));
}
