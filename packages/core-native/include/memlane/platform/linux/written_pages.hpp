// The pages of a private mapping that were written, and how they are put right.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "memlane/platform/fact.hpp"
#include "memlane/platform/fork.hpp"
#include "memlane/platform/handle.hpp"
#include "memlane/platform/linux/sys.hpp"

namespace memlane::detail::platform {

namespace written_pages {

// PAGEMAP_SCAN (Linux 6.7), as in linux/fs.h: older headers lack it.
struct PageRegion {
  std::uint64_t start, end, categories;
};
struct PageScan {
  std::uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted, category_mask,
      category_anyof_mask, return_mask;
};
inline constexpr std::uint64_t page_is_file = 1U << 2U;
inline constexpr std::uint64_t page_is_present = 1U << 3U;
inline constexpr std::uint64_t page_is_swapped = 1U << 4U;
inline constexpr unsigned long pagemap_scan = _IOWR('f', 16, PageScan);

/// Open for the life of the process; -1 where /proc is missing.
inline int pagemap() noexcept {
  thread_local struct {
    std::uint32_t generation = ~0U;
    Handle file;
  } cache;
  if (cache.generation != fork_generation()) {
    cache.file =
        Handle(sys::retried("open(pagemap)", [] { return ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); }));
    cache.generation = fork_generation();
  }
  return cache.file.get();
}

/// A written page of a private file mapping is anonymous: in memory (or swapped) and no longer the file's.
/// Returns false where the kernel cannot tell.
inline bool discard_scanned(int pagemap_file, std::uint64_t start, std::uint64_t end) noexcept {
  std::array<PageRegion, 64> regions{};
  while (start < end) {
    PageScan scan{};
    scan.size = sizeof scan;
    scan.start = start;
    scan.end = end;
    scan.vec = reinterpret_cast<std::uint64_t>(regions.data());
    scan.vec_len = regions.size();
    scan.category_inverted = page_is_file;
    scan.category_mask = page_is_file;
    scan.category_anyof_mask = page_is_present | page_is_swapped;
    scan.return_mask = page_is_present;
    const int found = sys::call("ioctl", [&] { return ::ioctl(pagemap_file, pagemap_scan, &scan); });
    if (found < 0) return false;
    for (int i = 0; i < found; ++i) {
      const PageRegion& region = regions[static_cast<std::size_t>(i)];
      sys::call("madvise(MADV_DONTNEED)", [&] {
        return ::madvise(reinterpret_cast<void*>(region.start), region.end - region.start, MADV_DONTNEED);
      });
    }
    if (scan.walk_end <= start) break;
    start = scan.walk_end;
  }
  return true;
}

inline std::uint64_t counted_faults() noexcept {
  rusage usage{};
  sys::call("getrusage", [&] { return ::getrusage(RUSAGE_SELF, &usage); });
  return static_cast<std::uint64_t>(usage.ru_minflt) + static_cast<std::uint64_t>(usage.ru_majflt);
}

/// Sandboxes that are a kernel of their own (gVisor) fill the counters with zeros.
inline bool counts_faults() noexcept {
  const std::size_t page = page_size();
  void* const fresh = sys::call(
      "mmap", [&] { return ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); });
  if (fresh == MAP_FAILED) return false;
  const std::uint64_t before = counted_faults();
  *static_cast<volatile char*>(fresh) = 1;
  const bool counted = counted_faults() != before;
  ::munmap(fresh, page);
  return counted;
}

}  // namespace written_pages

inline std::optional<std::uint64_t> page_faults() noexcept {
  if (!fact<written_pages::counts_faults>()) return std::nullopt;
  return written_pages::counted_faults();
}

inline void discard_writes(const Mapping& mapping, std::size_t offset, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  const std::size_t page = page_size();
  const auto base = reinterpret_cast<std::uint64_t>(mapping.data());
  const std::uint64_t start = (base + offset) / page * page;
  const std::uint64_t end =
      std::min<std::uint64_t>(base + mapping.size(), (base + offset + bytes + page - 1) / page * page);
  const int file = written_pages::pagemap();
  if (file >= 0 && written_pages::discard_scanned(file, start, end)) return;
  // Without the scan: give all pages back. They are read in again at their next use.
  sys::call("madvise(MADV_DONTNEED)",
            [&] { return ::madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED); });
}

}  // namespace memlane::detail::platform
