#include "injection.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <atomic>
#include <new>

#include "memlane/platform/linux/sys.hpp"

namespace memlane::nth_call {
namespace {

// Written by the test while no fault is armed; read by every thread behind `armed` (release, acquire).
Fault fault;
std::atomic<bool> armed{false};
std::atomic<std::uint64_t> passed{0};  // calls of the fault's name so far; each thread counts its own with one step
std::atomic<bool> happened{false};
std::atomic<std::int64_t> live{0};
// Written by the test, read by every thread (release, acquire); what it points to changes no more.
std::atomic<const std::span<const Lack>*> lacking{nullptr};

thread_local bool test_thread = false;
thread_local int in_the_core = 0;

bool is_its_moment(const char* call) noexcept {
  if (!armed.load(std::memory_order_acquire) || (test_thread && in_the_core == 0)) return false;
  if (std::strcmp(call, fault.call) != 0) return false;
  if (passed.fetch_add(1, std::memory_order_relaxed) + 1 != fault.number) return false;
  happened.store(true, std::memory_order_relaxed);
  return true;
}

int error_of_what_is_lacking(const char* call) noexcept {
  const auto* const all = lacking.load(std::memory_order_acquire);
  if (all == nullptr || (test_thread && in_the_core == 0)) return 0;
  thread_local bool tried_before = false;
  for (const Lack& lack : *all) {
    if (std::strcmp(call, lack.call) != 0) continue;
    if (lack.then_works && (tried_before = !tried_before, !tried_before)) return 0;
    return lack.error;
  }
  return 0;
}

int hook(const char* call) noexcept {
  return is_its_moment(call) ? fault.error : error_of_what_is_lacking(call);
}

}  // namespace

std::string Fault::text() const {
  return std::string(call) + " number " + std::to_string(number) + " fails with " + strerrorname_np(error);
}

Injection::Injection(const Fault& wanted) noexcept {
  fault = wanted;
  passed = 0;
  happened = false;
  detail::platform::sys::fault_hook = hook;
  armed.store(true, std::memory_order_release);
}

Injection::~Injection() {
  armed.store(false, std::memory_order_release);
}

bool Injection::has_happened() const noexcept {
  return happened.load(std::memory_order_relaxed);
}

Lacking::Lacking(std::span<const Lack> all) noexcept {
  static std::span<const Lack> kept;
  kept = all;
  detail::platform::sys::fault_hook = hook;
  lacking.store(&kept, std::memory_order_release);
}

Lacking::~Lacking() {
  lacking.store(nullptr, std::memory_order_release);
}

void is_a_test_thread() noexcept {
  test_thread = true;
}

InTheCore::InTheCore() noexcept {
  ++in_the_core;
}
InTheCore::~InTheCore() {
  --in_the_core;
}

std::int64_t live_allocations() noexcept {
  return live.load(std::memory_order_relaxed);
}

namespace {

void* allocate(std::size_t bytes, std::size_t alignment) {
  if (is_its_moment(allocation)) throw std::bad_alloc();
  const std::size_t least = bytes == 0 ? 1 : bytes;
  void* const memory = alignment <= alignof(std::max_align_t)
                           ? std::malloc(least)
                           : std::aligned_alloc(alignment, (least + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  live.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  live.fetch_sub(1, std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace
}  // namespace memlane::nth_call

// All other forms of the library lead to these.
void* operator new(std::size_t bytes) {
  return memlane::nth_call::allocate(bytes, 0);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return memlane::nth_call::allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  memlane::nth_call::give_back(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  memlane::nth_call::give_back(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  memlane::nth_call::give_back(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  memlane::nth_call::give_back(memory);
}
