// What a fork must not inherit. Every descriptor and mapping of the core is registered here; in the child they are closed
// and replaced, and whatever was made before the fork knows that it belongs to the parent.
#pragma once

#include <cstddef>
#include <cstdint>

namespace memlane::detail::platform {

/// Counts the forks between the first process that used memlane and this one. An object remembers the generation it
/// was made in; another one now means that it belongs to the parent.
[[nodiscard]] inline std::uint32_t fork_generation() noexcept;

/// Registered things are taken from the child: descriptors closed, mappings replaced by private zeros, so that a
/// pointer kept from before the fork reads zeros and kills nobody.
inline void register_descriptor(int descriptor);
inline void unregister_descriptor(int descriptor) noexcept;
inline void register_mapping(void* address, std::size_t bytes);
inline void unregister_mapping(void* address) noexcept;

/// For what belongs to the parent and must not be destroyed in the child: the threads that use it are not here, so that
/// e.g. the end of a condition variable would wait for them for ever. It stays reachable, as leak checkers like it.
inline void leave_to_parent(const void* object);

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
