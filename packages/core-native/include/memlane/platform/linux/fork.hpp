// pthread_atfork: a forked child would keep connections open, and the parent's death unheard, for as long as it lives.
// A raw clone() runs no handler; the peers' pidfd hears that one.
#pragma once

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace memlane::detail::platform {

class ForkRegistry {
 public:
  /// Never destroyed: handlers of pthread_atfork and destructors of static objects may come after ours.
  static ForkRegistry& instance() {
    static auto* registry = new ForkRegistry;
    return *registry;
  }

  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_.load(std::memory_order_relaxed); }

  std::recursive_mutex mutex;  // recursive: ForkLock is held around code that registers descriptors
  std::set<int> descriptors;
  std::map<void*, std::size_t> mappings;
  std::vector<const void*> left_to_parent;

 private:
  ForkRegistry() {
    ::pthread_atfork([] { instance().mutex.lock(); }, [] { instance().mutex.unlock(); },
                     [] { instance().after_fork_in_child(); });
  }

  void after_fork_in_child() noexcept {
    // Only the forking thread exists here, and it holds the mutex since the prepare handler.
    for (const int descriptor : descriptors) ::close(descriptor);
    descriptors.clear();
    for (const auto& [address, bytes] : mappings) {
      ::mmap(address, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    }
    mappings.clear();
    generation_.fetch_add(1, std::memory_order_relaxed);
    // Not unlocked: a recursive mutex knows its owner by a thread id, and ours is another one since the fork.
    std::construct_at(&mutex);
  }

  // Written in the child of a fork, while it has one thread; read everywhere. Relaxed: no other data depends on it.
  std::atomic<std::uint32_t> generation_{0};
};

inline std::uint32_t fork_generation() noexcept {
  return ForkRegistry::instance().generation();
}

inline void register_descriptor(int descriptor) {
  auto& registry = ForkRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  registry.descriptors.insert(descriptor);
}

inline void unregister_descriptor(int descriptor) noexcept {
  auto& registry = ForkRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  registry.descriptors.erase(descriptor);
}

inline void register_mapping(void* address, std::size_t bytes) {
  auto& registry = ForkRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  registry.mappings.emplace(address, bytes);
}

inline void unregister_mapping(void* address) noexcept {
  auto& registry = ForkRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  registry.mappings.erase(address);
}

inline void leave_to_parent(const void* object) {
  auto& registry = ForkRegistry::instance();
  const std::lock_guard lock(registry.mutex);
  registry.left_to_parent.push_back(object);
}

inline ForkLock::ForkLock() {
  ForkRegistry::instance().mutex.lock();
}
inline ForkLock::~ForkLock() {
  ForkRegistry::instance().mutex.unlock();
}

}  // namespace memlane::detail::platform
