// What a fork must not inherit. Every descriptor and mapping of the core is noted here; in the child they are closed and
// replaced, and whatever was made before the fork knows that it belongs to the parent.
#pragma once

#include <cstddef>
#include <cstdint>

namespace memlane::detail::platform {

/// Counts the forks between the first process that used memlane and this one. An object remembers the generation it
/// was made in; another one now means that it belongs to the parent.
[[nodiscard]] inline std::uint32_t fork_generation() noexcept;

/// Something that a child must not inherit: a descriptor, a mapping. The list of them goes through the objects themselves, so
/// that noting one down needs no memory and cannot fail.
class KeptFromChildren {
 public:
  KeptFromChildren(const KeptFromChildren&) = delete;
  KeptFromChildren& operator=(const KeptFromChildren&) = delete;

 protected:
  KeptFromChildren() noexcept = default;
  ~KeptFromChildren() = default;

  /// From now on it is taken away from every child.
  inline void note() noexcept;
  /// No longer. In a child that it was taken from: does nothing.
  inline void forget() noexcept;
  /// Whether it was noted in this process, not in a parent of it.
  [[nodiscard]] inline bool is_ours() const noexcept;

 private:
  friend class ForkRegistry;
  /// In the child, which has one thread: descriptors are closed, mappings replaced by private zeros, so that a pointer kept
  /// from before the fork reads zeros and kills nobody.
  virtual void take_from_child() noexcept = 0;

  KeptFromChildren* previous_ = nullptr;
  KeptFromChildren* next_ = nullptr;
  std::uint32_t generation_ = 0;
};

/// For what belongs to the parent and must not be destroyed in the child: the threads that use it are not here, so that
/// e.g. the end of a condition variable would wait for them for ever. It stays reachable, as leak checkers like it.
inline void leave_to_parent(const void* object) noexcept;

/// Held by whoever must not be cut in two by a fork, e.g. the table of endpoints.
class ForkLock {
 public:
  inline ForkLock();
  inline ~ForkLock();
  ForkLock(const ForkLock&) = delete;
  ForkLock& operator=(const ForkLock&) = delete;
};

}  // namespace memlane::detail::platform

#if defined(__linux__)
#include "memlane/platform/linux/fork.hpp"
#endif
