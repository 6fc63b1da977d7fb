// memfd with seals.
#pragma once

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "memlane/platform/fact.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/linux/file_size_limit.hpp"
#include "memlane/platform/linux/sys.hpp"
#include "memlane/platform/signals.hpp"

// Constants younger than the oldest kernel headers we build with; the kernel at run time decides whether they work.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace memlane::detail::platform {

inline constexpr int seals_of_ours = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
inline constexpr int seals_a_reader_needs = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;

namespace linux_memory {

inline std::size_t ask_page_size() noexcept {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace linux_memory

inline std::size_t page_size() noexcept {
  return fact<linux_memory::ask_page_size>();
}

inline Mapping::Mapping(void* address, std::size_t bytes) noexcept : address_(address), bytes_(bytes) {
  // A core dump would hold every byte of every peer's frames, and delay the news of the death by as much.
  sys::call("madvise", [&] { return ::madvise(address_, bytes_, MADV_DONTDUMP); });
  // Refused: the handler in the child replaces it all the same.
  sys::call("madvise", [&] { return ::madvise(address_, bytes_, MADV_DONTFORK); });
  note();
}

inline void Mapping::reset() noexcept {
  if (address_ == nullptr) return;
  forget();
  ::munmap(std::exchange(address_, nullptr), bytes_);
}

inline void Mapping::take_over(Mapping& other) noexcept {
  const ForkLock no_fork_now;
  if (other.address_ == nullptr) return;
  const bool ours = other.is_ours();
  other.forget();
  address_ = std::exchange(other.address_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  if (ours) note();
}

inline void Mapping::take_from_child() noexcept {
  sys::call("mmap", [&] {
    return ::mmap(address_, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
                  0);
  });
}

namespace linux_memory {

inline Mapping map(int handle, std::size_t bytes, int protection, int flags, const char* what) {
  const ForkLock no_fork_now;  // before the mapping is registered, and kept out of forks
  void* const address = sys::call("mmap", [&] { return ::mmap(nullptr, bytes, protection, flags, handle, 0); });
  if (address == MAP_FAILED)
    sys::fail(std::string("cannot map ") + what + " of " + std::to_string(bytes) + " bytes", errno);
  return {address, bytes};
}

inline Handle create(const char* name) {
  const auto make = [&](unsigned flags) {
    return Handle::made_by([&] { return sys::call("memfd_create", [&] { return ::memfd_create(name, flags); }); });
  };
  Handle made = make(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (!made && errno == EINVAL) made = make(MFD_CLOEXEC | MFD_ALLOW_SEALING);  // before Linux 6.3
  if (!made) sys::fail("cannot create shared memory", errno);
  return made;
}

/// gVisor reports F_SEAL_FUTURE_WRITE and does not enforce it: then memory would not be what we promise it is.
inline bool probe_seals() {
  const Handle probe = create("memlane-probe");
  const auto bytes = static_cast<off_t>(page_size());
  if (sys::retried("ftruncate", [&] { return ::ftruncate(probe.get(), bytes); }) != 0)
    sys::fail("cannot size shared memory", errno);
  if (sys::call("fcntl(F_ADD_SEALS)", [&] { return ::fcntl(probe.get(), F_ADD_SEALS, seals_of_ours); }) != 0) {
    if (errno == EINVAL) return false;  // a kernel that does not know this seal
    sys::fail("cannot seal shared memory", errno);
  }
  void* const address = sys::call(
      "mmap", [&] { return ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, probe.get(), 0); });
  if (address == MAP_FAILED) {
    if (errno == EPERM) return true;
    sys::fail("cannot map shared memory", errno);
  }
  ::munmap(address, page_size());
  return false;
}

inline bool seals_are_enforced() {
  return fact<probe_seals>();
}

inline void check_file_size_limit(std::size_t bytes) {
  if (const auto limit = file_size_limit_below(bytes)) {
    throw Error(ErrorCode::out_of_memory, std::to_string(bytes) +
                                              " bytes of shared memory are beyond this process's limit of " +
                                              std::to_string(*limit) + " bytes a file; raise it (ulimit -f)");
  }
}

/// Reserves every page. A signal would make the kernel give back all it has got and begin again: a program with an interval
/// timer would never see the end of it. So signals wait, but never longer than one piece takes.
inline void reserve(int handle, std::size_t bytes) {
  constexpr std::size_t piece = std::size_t{64} << 20U;  // bytes: some 0.1 s
  for (std::size_t done = 0; done < bytes; done += piece) {
    const SignalsHeldBack hold;
    const auto from = static_cast<off_t>(done);
    const auto count = static_cast<off_t>(std::min(piece, bytes - done));
    if (sys::retried("fallocate", [&] { return ::fallocate(handle, 0, from, count); }) != 0) {
      sys::fail("cannot reserve " + std::to_string(bytes) + " bytes of shared memory", errno);
    }
  }
}

[[noreturn]] inline void refuse(const std::string& why) {
  throw Error(ErrorCode::corrupt, "the memory that a peer handed over was refused: " + why);
}

}  // namespace linux_memory

inline OwnedMemory create_memory(const char* name, std::size_t bytes) {
  linux_memory::check_file_size_limit(bytes);  // first: the probe, of a page, must not die of it either
  if (!linux_memory::seals_are_enforced()) {
    throw Error(ErrorCode::unsupported, "this kernel does not enforce F_SEAL_FUTURE_WRITE (Linux 5.1 and later do)");
  }
  OwnedMemory memory;
  memory.handle = linux_memory::create(name);
  fault_point("memory.created");
  const int handle = memory.handle.get();
  const auto size = static_cast<off_t>(bytes);
  if (sys::retried("ftruncate", [&] { return ::ftruncate(handle, size); }) != 0) {
    sys::fail("cannot size shared memory to " + std::to_string(bytes) + " bytes", errno);
  }
  fault_point("memory.sized");
  // Every page now, or an error now: a hole would be paid for, or faulted on, by whoever touches it first.
  linux_memory::reserve(handle, bytes);
  fault_point("memory.reserved");
  memory.mapping = linux_memory::map(handle, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, "shared memory");
  fault_point("memory.mapped");
  if (sys::call("fcntl(F_ADD_SEALS)", [&] { return ::fcntl(handle, F_ADD_SEALS, seals_of_ours); }) != 0)
    sys::fail("cannot seal shared memory", errno);
  fault_point("memory.sealed");
  return memory;
}

inline Mapping map_foreign_memory(const Handle& handle, std::uint64_t claimed_bytes, View view) {
  if (!handle) linux_memory::refuse("it is neither memory nor a bell");
  // The seals first: what they keep from changing is true from here on.
  const int seals = sys::call("fcntl(F_GET_SEALS)", [&] { return ::fcntl(handle.get(), F_GET_SEALS); });
  struct stat status{};
  if (sys::call("fstat", [&] { return ::fstat(handle.get(), &status); }) != 0)
    sys::fail("cannot look at a peer's memory", errno);
  if (!S_ISREG(status.st_mode)) linux_memory::refuse("not a regular file");
  struct statfs system{};
  if (sys::retried("fstatfs", [&] { return ::fstatfs(handle.get(), &system); }) != 0)
    sys::fail("cannot look at a peer's memory", errno);
  if (system.f_type != TMPFS_MAGIC) linux_memory::refuse("not on tmpfs");
  if (seals < 0 || (seals & seals_a_reader_needs) != seals_a_reader_needs) linux_memory::refuse("not sealed");
  if (claimed_bytes == 0 || claimed_bytes % page_size() != 0 || std::cmp_not_equal(status.st_size, claimed_bytes)) {
    linux_memory::refuse("its size is not what the peer claims");
  }
  // st_blocks counts 512 bytes each, whatever the file system's block size.
  if (std::cmp_less(status.st_blocks, claimed_bytes / 512)) linux_memory::refuse("it has holes");

  const auto bytes = static_cast<std::size_t>(claimed_bytes);
  if (view == View::scribble) {
    return linux_memory::map(handle.get(), bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                             "a peer's memory");
  }
  return linux_memory::map(handle.get(), bytes, PROT_READ, MAP_SHARED, "a peer's memory");
}

inline void populate(const Mapping& mapping) noexcept {
  sys::call("madvise", [&] { return ::madvise(mapping.data(), mapping.size(), MADV_POPULATE_READ); });
}

}  // namespace memlane::detail::platform
