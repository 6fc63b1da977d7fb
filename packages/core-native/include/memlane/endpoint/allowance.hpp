// What one process may make us keep for it, and how long it may make us wait. Whoever sends ten thousand invitations, or hands
// the same memory over again and again, must not use up our mappings and our memory, from which our other peers live.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "memlane/endpoint/patience.hpp"
#include "memlane/error.hpp"
#include "memlane/platform/fork.hpp"

namespace memlane::detail {

/// For any thread. Shared by all endpoints of the process that it is for.
class Allowance : public std::enable_shared_from_this<Allowance> {
 public:
  enum class Limit : std::uint8_t { none, far };  ///< none for ourselves, where both ends of a lane are in one process
  explicit Allowance(Limit limit = Limit::far) noexcept {
    if (limit == Limit::far) return;
    for (Part& part : parts_) part.most = ~std::uint64_t{0};
  }

  enum class Of : std::uint8_t {
    links,       ///< each has two mappings, of the 65,530 that a process has
    half_bytes,  ///< of our own halves: a receiving peer chooses how deep they are
    segments,    ///< a mapping each
    populated,   ///< bytes read in ahead, which cost page tables
  };

  /// A part that is in use, until the object goes.
  class Share {
   public:
    Share() noexcept = default;
    Share(Share&& other) noexcept = default;
    Share& operator=(Share&& other) noexcept {
      std::swap(allowance_, other.allowance_);
      std::swap(of_, other.of_);
      std::swap(amount_, other.amount_);
      return *this;
    }
    ~Share() {
      if (allowance_) allowance_->give_back(of_, amount_);
    }
    explicit operator bool() const noexcept { return allowance_ != nullptr; }

   private:
    friend class Allowance;
    std::shared_ptr<Allowance> allowance_;
    Of of_ = Of::links;
    std::uint64_t amount_ = 0;
  };

  /// An empty share if it would be too much.
  [[nodiscard]] Share try_take(Of of, std::uint64_t amount) {
    Share share;
    const std::lock_guard lock(mutex_);
    Part& part = parts_[static_cast<std::size_t>(of)];
    if (amount > part.most - part.used) return share;
    part.used += amount;
    share.allowance_ = shared_from_this();
    share.of_ = of;
    share.amount_ = amount;
    return share;
  }

  /// Throws Error(out_of_memory) if it would be too much.
  [[nodiscard]] Share take(Of of, std::uint64_t amount) {
    Share share = try_take(of, amount);
    if (share) return share;
    const Part& part = parts_[static_cast<std::size_t>(of)];
    throw Error(ErrorCode::out_of_memory,
                "one process gets at most " + std::to_string(part.most) + " " + part.what + " of another");
  }

  [[nodiscard]] Patience& patience() noexcept { return patience_; }

 private:
  struct Part {
    const char* what;
    std::uint64_t most;  // far more than anybody needs, far less than a process has
    std::uint64_t used = 0;
  };

  void give_back(Of of, std::uint64_t amount) noexcept {
    // In a forked child it is the parent's, one of whose threads may have held the lock: it would never be given back.
    if (generation_ != platform::fork_generation()) return;
    const std::lock_guard lock(mutex_);
    parts_[static_cast<std::size_t>(of)].used -= amount;
  }

  const std::uint32_t generation_ = platform::fork_generation();
  Patience patience_;
  std::mutex mutex_;
  Part parts_[4] = {{"links", 16384},
                    {"bytes of queues", std::uint64_t{1} << 30U},
                    {"segments of memory", 24576},
                    {"bytes read in ahead", std::uint64_t{8} << 30U}};
};

}  // namespace memlane::detail
