// A half of a link whose owner writes whatever the input says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "input.hpp"
#include "memlane/port/half_memory.hpp"

namespace memlane::fuzz {

class HostileHalf {
 public:
  explicit HostileHalf(detail::platform::OwnedMemory memory) : memory_(std::move(memory)) {
    std::memcpy(&header_, memory_.mapping.data(), sizeof header_);
  }

  [[nodiscard]] const detail::platform::Handle& handle() const { return memory_.handle; }
  [[nodiscard]] std::size_t size() const { return memory_.mapping.size(); }

  /// As it was when it was made.
  void start_again() {
    std::memset(memory_.mapping.data(), 0, size());
    std::memcpy(memory_.mapping.data(), &header_, sizeof header_);
  }

  [[nodiscard]] detail::SharedWord& word(std::size_t offset) {
    return *reinterpret_cast<detail::SharedWord*>(memory_.mapping.data() + offset);
  }
  void lie(std::size_t offset, Input& input) { word(offset) = input.lie_about(word(offset)); }
  /// Any word of it.
  void lie_anywhere(Input& input) { lie(input.next<std::uint16_t>() % (size() / 8) * 8, input); }
  void overwrite(std::size_t offset, std::span<const std::byte> bytes) {
    std::memcpy(memory_.mapping.data() + offset, bytes.data(), std::min(bytes.size(), size() - offset));
  }

 private:
  detail::platform::OwnedMemory memory_;
  detail::HalfHeader header_{};
};

}  // namespace memlane::fuzz
