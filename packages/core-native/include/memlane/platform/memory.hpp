// Memory without a name: created and written by one process, handed to others who can only read it.
//
// The owner's object is sealed against shrinking, growing and new writable mappings, so nobody can pull pages from under
// a reader or write into them, the owner's own mapping excepted. A receiver checks all of that before it maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "memlane/platform/handle.hpp"

namespace memlane::detail::platform {

/// A mapped range, unmapped with the object. In a forked child it holds private zeros instead.
class Mapping final : private KeptFromChildren {
 public:
  Mapping() noexcept = default;
  inline Mapping(void* address, std::size_t bytes) noexcept;
  Mapping(Mapping&& other) noexcept { take_over(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    if (this != &other) {
      reset();
      take_over(other);
    }
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { reset(); }

  inline void reset() noexcept;
  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(address_); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_; }
  explicit operator bool() const noexcept { return address_ != nullptr; }

 private:
  inline void take_over(Mapping& other) noexcept;
  inline void take_from_child() noexcept override;

  void* address_ = nullptr;
  std::size_t bytes_ = 0;
};

/// The owner's side: the handle to give to others, and the only writable mapping there will ever be.
struct OwnedMemory {
  Handle handle;
  Mapping mapping;
};

/// Creates `bytes` (a multiple of the page size) of zeroed memory, every page reserved, sealed. `name` shows in
/// /proc/PID/maps. Throws Error(out_of_memory | descriptor_limit | system); reserve only after a look at the budget,
/// since past a control group's limit the kernel does not refuse, it kills.
[[nodiscard]] inline OwnedMemory create_memory(const char* name, std::size_t bytes);

enum class View : std::uint8_t {
  read_only,  ///< a write is a fault
  scribble,   ///< a write changes a private copy of the page; `discard_writes` puts it right
};

/// Maps memory that another process handed over, after checking everything that could hurt the reader: a regular tmpfs
/// file (no huge pages: they may fault), sealed, as large as claimed, no holes. Throws Error(corrupt) with the reason.
[[nodiscard]] inline Mapping map_foreign_memory(const Handle& handle, std::uint64_t claimed_bytes, View view);

/// Reads pages in ahead of use; best effort.
inline void populate(const Mapping& mapping) noexcept;

/// How many page faults all threads of this process have had so far. The first write to a page of a View::scribble range is
/// one: where the number has not changed, nothing was written. Nothing where the system does not count them.
[[nodiscard]] inline std::optional<std::uint64_t> page_faults() noexcept;

/// Puts right the pages of a View::scribble range that this process has written to. `address` and `bytes` are a
/// sample's: the range is widened to whole pages.
inline void discard_writes(const Mapping& mapping, std::size_t offset, std::size_t bytes) noexcept;

[[nodiscard]] inline std::size_t page_size() noexcept;

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/memory.hpp"
#include "memlane/platform/linux/written_pages.hpp"
#endif
