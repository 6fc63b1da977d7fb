// What libFuzzer hands over, read from front to back; where it ends, zeros go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace memlane::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept : rest_(data, size) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  template <class T>
  T next() noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    fill(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }

  std::uint8_t byte() noexcept { return next<std::uint8_t>(); }
  /// 0 to `count` - 1.
  std::size_t choice(std::size_t count) noexcept { return byte() % count; }
  bool coin() noexcept { return (byte() & 1U) != 0; }

  void fill(std::span<std::byte> target) noexcept {
    const std::size_t count = target.size() < rest_.size() ? target.size() : rest_.size();
    if (count != 0) std::memcpy(target.data(), rest_.data(), count);
    rest_ = rest_.subspan(count);
  }

  /// A number that a liar would say: near a true one, small, a truth with one bit wrong, or anything.
  std::uint64_t lie_about(std::uint64_t truth) noexcept {
    switch (choice(4)) {
      case 0: return truth + static_cast<std::uint64_t>(static_cast<std::int64_t>(next<std::int8_t>()));
      case 1: return byte();
      case 2: return truth ^ (std::uint64_t{1} << choice(64));
      default: return next<std::uint64_t>();
    }
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace memlane::fuzz
