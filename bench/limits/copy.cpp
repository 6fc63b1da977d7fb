// The limit of a copy: into shared pages that were touched before, by memcpy and by stores that go past the cache.
#include <sys/mman.h>

#include <cstring>
#include <stdexcept>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "../common/options.hpp"
#include "../common/payload.hpp"
#include "../common/result.hpp"
#include "../common/timer.hpp"

namespace {

void copy_with_memcpy(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
  std::memcpy(to, from, bytes);
}

#if defined(__SSE2__)
void copy_past_the_cache(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
  std::size_t at = 0;
  for (; bytes - at >= 64; at += 64) {
    for (std::size_t part = 0; part < 64; part += 16) {
      const __m128i value = _mm_load_si128(reinterpret_cast<const __m128i*>(from + at + part));
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + at + part), value);
    }
  }
  _mm_sfence();
  std::memcpy(to + at, from + at, bytes - at);
}
#endif

template <class Copy>
std::int64_t measure(std::span<std::byte> to, std::span<std::byte> from, double seconds, Copy&& copy) {
  bench::Times times;
  bench::repeat(seconds, 20, [&](std::uint64_t round) {
    bench::stamp(from, static_cast<std::uint32_t>(round));
    const std::int64_t before = bench::now();
    copy(to.data(), from.data(), from.size());
    times.add(bench::now() - before);
  });
  if (std::memcmp(to.data(), from.data(), from.size()) != 0) throw std::runtime_error("the copy is wrong");
  return times.quantile(0.5);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv);
  for (const std::uint64_t bytes : options.numbers("sizes")) {
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
    const std::span<std::byte> to(static_cast<std::byte*>(memory), bytes);
    std::memset(to.data(), 1, to.size());  // touched
    bench::Buffer from(bytes);
    bench::Result result;
    result.add("limit", "copy").add("bytes", bytes);
    result.add("memcpy_ns", measure(to, from.span(), options.number("seconds"), copy_with_memcpy));
#if defined(__SSE2__)
    result.add("past_cache_ns", measure(to, from.span(), options.number("seconds"), copy_past_the_cache));
#endif
    ::munmap(memory, bytes);
  }
}
