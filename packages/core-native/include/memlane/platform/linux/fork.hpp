// pthread_atfork: a forked child would keep connections open, and the parent's death unheard, for as long as it lives.
// A raw clone() runs no handler; the peers' pidfd hears that one.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace memlane::detail::platform {

class ForkRegistry {
 public:
  /// Never destroyed: handlers of pthread_atfork and destructors of static objects may come after ours.
  /// In static memory: the first to ask may be a function that must not fail. Made as the program is loaded (see below).
  static ForkRegistry& instance() noexcept {
    alignas(ForkRegistry) static std::array<std::byte, sizeof(ForkRegistry)> place;
    static auto* registry = new (place.data()) ForkRegistry;
    return *registry;
  }

  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_.load(std::memory_order_relaxed); }

  std::recursive_mutex mutex;  // recursive: ForkLock is held around code that notes descriptors
  KeptFromChildren* first = nullptr;
  std::vector<const void*> left_to_parent;

 private:
  ForkRegistry() {
    ::pthread_atfork([] { instance().mutex.lock(); }, [] { instance().mutex.unlock(); },
                     [] { instance().after_fork_in_child(); });
  }

  void after_fork_in_child() noexcept {
    // Only the forking thread exists here, and it holds the mutex since the prepare handler.
    for (KeptFromChildren* each = std::exchange(first, nullptr); each != nullptr; each = each->next_)
      each->take_from_child();
    generation_.fetch_add(1, std::memory_order_relaxed);
    // Not unlocked: a recursive mutex knows its owner by a thread id, and ours is another one since the fork.
    std::construct_at(&mutex);
  }

  // Written in the child of a fork, while it has one thread; read everywhere. Relaxed: no other data depends on it.
  std::atomic<std::uint32_t> generation_{0};
};

// Before there are threads, one of which might just begin to make it when another one forks.
inline const bool forks_are_heard_of = (ForkRegistry::instance(), true);

inline std::uint32_t fork_generation() noexcept {
  return ForkRegistry::instance().generation();
}

void KeptFromChildren::note() noexcept {
  auto& registry = ForkRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  generation_ = registry.generation();
  previous_ = nullptr;
  next_ = std::exchange(registry.first, this);
  if (next_ != nullptr) next_->previous_ = this;
}

void KeptFromChildren::forget() noexcept {
  auto& registry = ForkRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  if (!is_ours()) return;  // the list it was in is the parent's
  (previous_ == nullptr ? registry.first : previous_->next_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

bool KeptFromChildren::is_ours() const noexcept {
  return generation_ == fork_generation();
}

inline void leave_to_parent(const void* object) noexcept {
  auto& registry = ForkRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  try {
    registry.left_to_parent.push_back(object);
  } catch (const std::bad_alloc&) {
    return;  // only a leak checker misses it
  }
}

inline ForkLock::ForkLock() {
  ForkRegistry::instance().mutex.lock();
}
inline ForkLock::~ForkLock() {
  ForkRegistry::instance().mutex.unlock();
}

}  // namespace memlane::detail::platform
