// Lets both ends of a link, in one process, use one mapping of each half and of each segment. ThreadSanitizer knows memory
// by its address: between two mappings of one memory object it sees nothing.
//
// To be included before any header of memlane. From then on the core's mmap of memory that is mapped already gives that
// mapping, and its munmap counts.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <map>
#include <mutex>
#include <utility>

namespace memlane::test {

class OneMapping {
 public:
  static OneMapping& instance() {
    static auto* const one = new OneMapping;  // outlives whoever unmaps at the end of the program
    return *one;
  }

  /// How many mappings were shared so far.
  [[nodiscard]] std::size_t shared() const {
    const std::lock_guard lock(mutex_);
    return shared_;
  }

  void* map(void* hint, std::size_t bytes, int protection, int flags, int file, off_t offset) {
    struct stat status{};
    if (file < 0 || (flags & MAP_SHARED) == 0 || ::fstat(file, &status) != 0)
      return ::mmap(hint, bytes, protection, flags, file, offset);
    const std::lock_guard lock(mutex_);
    const std::pair key{status.st_dev, status.st_ino};
    if (const auto known = by_file_.find(key); known != by_file_.end() && (protection & PROT_WRITE) == 0) {
      ++shared_;
      ++users_.at(known->second).count;
      return known->second;
    }
    void* const address = ::mmap(hint, bytes, protection, flags, file, offset);
    if (address != MAP_FAILED) {
      by_file_[key] = address;
      users_[address] = {1, key};
    }
    return address;
  }

  int unmap(void* address, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (const auto known = users_.find(address); known != users_.end()) {
      if (--known->second.count != 0) return 0;
      by_file_.erase(known->second.file);
      users_.erase(known);
    }
    return ::munmap(address, bytes);
  }

 private:
  using File = std::pair<dev_t, ino_t>;
  struct Users {
    std::size_t count = 0;
    File file;
  };

  mutable std::mutex mutex_;
  std::map<File, void*> by_file_;
  std::map<void*, Users> users_;
  std::size_t shared_ = 0;
};

}  // namespace memlane::test

inline void* memlane_one_mmap(void* hint, std::size_t bytes, int protection, int flags, int file, off_t offset) {
  return memlane::test::OneMapping::instance().map(hint, bytes, protection, flags, file, offset);
}
inline int memlane_one_munmap(void* address, std::size_t bytes) {
  return memlane::test::OneMapping::instance().unmap(address, bytes);
}

// NOLINTBEGIN(cppcoreguidelines-macro-usage): the core calls the system by these names
#define mmap memlane_one_mmap
#define munmap memlane_one_munmap
// NOLINTEND(cppcoreguidelines-macro-usage)
