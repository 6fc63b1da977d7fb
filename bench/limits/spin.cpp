// The limit of a spinning round trip: two processes, two cache lines of shared memory, nothing else.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "../common/options.hpp"
#include "../common/result.hpp"
#include "../common/timer.hpp"

namespace {

struct Lines {
  alignas(128) std::atomic<std::uint32_t> ping{0};  // two lines apart: processors fetch lines in pairs
  alignas(128) std::atomic<std::uint32_t> pong{0};
};

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void await(const std::atomic<std::uint32_t>& line, std::uint32_t value) noexcept {
  while (line.load(std::memory_order_acquire) != value) relax();
}

constexpr std::uint32_t the_end = 0xFFFFFFFF;

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv);
  void* const memory = ::mmap(nullptr, sizeof(Lines), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  auto* const lines = new (memory) Lines;

  const pid_t peer = ::fork();
  if (peer == 0) {
    for (std::uint32_t round = 1;; ++round) {
      std::uint32_t seen = 0;
      while ((seen = lines->ping.load(std::memory_order_acquire)) != round && seen != the_end) relax();
      lines->pong.store(seen, std::memory_order_release);
      if (seen == the_end) std::_Exit(0);
    }
  }

  bench::Times times;
  std::int64_t before = bench::now();
  bench::repeat(options.number("seconds"), 1000, [&](std::uint64_t round) {
    lines->ping.store(static_cast<std::uint32_t>(round), std::memory_order_release);
    await(lines->pong, static_cast<std::uint32_t>(round));
    const std::int64_t after = bench::now();
    times.add(after - before);
    before = after;
  });
  lines->ping.store(the_end, std::memory_order_release);
  ::waitpid(peer, nullptr, 0);
  bench::Result().add("limit", "spin").add("rounds", std::uint64_t{times.count()}).add("ns", times.quantile(0.5));
}
