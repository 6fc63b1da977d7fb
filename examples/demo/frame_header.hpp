// What travels beside each frame of the demo, in the user header: 56 bytes, little-endian.
//
//   0  u32  CRC-32 of the payload
//   4  u32  CRC-32 of the original that it was made from; of an original its own
//   8  u64  number of the frame, from 1
//  16  40 bytes of UTF-8, filled up with zeros: where the frame comes from
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace demo {

using FrameHeader = std::array<std::byte, 56>;

[[nodiscard]] inline FrameHeader frame_header(std::uint32_t checksum, std::uint64_t number, std::string_view source) {
  FrameHeader header{};
  const auto put = [&](std::size_t at, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) header[at + i] = static_cast<std::byte>(value >> (8 * i));
  };
  put(0, checksum, 4);
  put(4, checksum, 4);
  put(8, number, 8);
  const auto text = std::as_bytes(std::span(source.substr(0, 40)));
  std::ranges::copy(text, header.begin() + 16);
  return header;
}

}  // namespace demo
