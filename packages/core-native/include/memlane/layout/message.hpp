// The messages of a connection. Each is one sendmsg: a header of 64 bytes that will never change, a body, and handles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "memlane/layout/half.hpp"
#include "memlane/layout/version.hpp"
#include "memlane/types/text.hpp"

namespace memlane::detail {

enum class MessageType : std::uint16_t {
  hello = 1,         // the connecting endpoint introduces itself: HelloBody
  refuse = 2,        // the answer to a hello of another version or user; the connection is closed behind it: RefuseBody
  invite = 3,        // a sending port asks a receiving port for its half: PortBody
  half = 4,          // a half of a link: HalfBody; handles: memory, bell
  gone = 5,          // the port that a message was for does not exist (any more): no body; or ends the link: GoneBody
  segment = 6,       // payload memory of the sending port: SegmentBody; handle: memory
  segment_drop = 7,  // the segment is not used any more: SegmentBody
  returns = 8,       // returns that did not fit into the ring: ReturnsBody entries, `count` of them
  closing = 9,       // the receiving port takes nothing more; what it holds it will still return
  leave = 10,        // the link is over for the side that says so; nothing follows
};

struct MessageHeader {
  std::uint64_t magic;      // message_magic
  std::uint32_t version;    // layout_version
  std::uint32_t bytes;      // of the whole message, header included
  std::uint16_t type;       // MessageType
  std::uint16_t handles;    // how many travel with it
  std::uint32_t reserved0;  // 0
  std::uint64_t from_port;  // of the sending endpoint; 0: the endpoint itself
  std::uint64_t to_port;    // of the receiving endpoint; 0: the endpoint itself
  std::uint64_t reserved1[3];
};
static_assert(sizeof(MessageHeader) == 64 && offsetof(MessageHeader, from_port) == 24 &&
              offsetof(MessageHeader, to_port) == 32);

struct HelloBody {
  std::uint64_t endpoint[2];  // the sender's door
  std::uint64_t door[2];      // the door it knocked at: a link in the directory may have led it to another one
  std::int64_t pid;           // for people to read; never acted upon
  char process[32];           // likewise, ended by NUL
};

struct RefuseBody {
  std::uint32_t version;  // the one that would be understood
  std::uint32_t reserved;
  char reason[120];  // for people, ended by NUL
};

struct GoneBody {
  std::uint32_t code;  // ErrorCode
  std::uint32_t reserved;
  char reason[120];  // for people, ended by NUL
};

struct PortBody {
  std::uint64_t lane[2];  // hash of the lane's name
  std::uint8_t kind;      // PortKind
  std::uint8_t overflow;  // Overflow; receiving ports
  std::uint8_t checksum;  // Checksum; sending ports
  std::uint8_t reserved;
  std::uint32_t depth;  // receiving ports
  std::int64_t pid;     // for people
  char label[64];       // for people, ended by NUL
};

struct HalfBody {
  PortBody port;
  std::uint64_t bytes;  // of the half
  std::uint64_t reserved;
};

struct SegmentBody {
  std::uint32_t id;
  std::uint32_t reserved;
  std::uint64_t bytes;
};

struct ReturnsBody {
  std::uint64_t position;
  std::uint64_t ticket;  // as in ReturnEntry
};

static_assert(sizeof(HelloBody) == 72 && sizeof(RefuseBody) == 128 && sizeof(PortBody) == 96 &&
              sizeof(HalfBody) == 112);
static_assert(sizeof(GoneBody) == 128 && sizeof(SegmentBody) == 16 && sizeof(ReturnsBody) == 16);

inline constexpr std::size_t max_message = 4096;  // bytes: 252 returns; everything else is far smaller

/// A message as bytes, ready to send. `Body` is one of the structs above, or nothing.
struct MessageBytes {
  std::array<std::byte, max_message> storage;
  std::size_t size = 0;
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {storage.data(), size}; }
};

[[nodiscard]] inline MessageBytes compose(MessageType type, std::uint64_t from_port, std::uint64_t to_port,
                                          std::span<const std::byte> body, std::uint16_t handles = 0) {
  MessageBytes message;
  message.size = sizeof(MessageHeader) + body.size();
  MessageHeader header{};
  header.magic = message_magic;
  header.version = layout_version;
  header.bytes = static_cast<std::uint32_t>(message.size);
  header.type = static_cast<std::uint16_t>(type);
  header.handles = handles;
  header.from_port = from_port;
  header.to_port = to_port;
  std::memcpy(message.storage.data(), &header, sizeof header);
  if (!body.empty()) std::memcpy(message.storage.data() + sizeof header, body.data(), body.size());
  return message;
}

template <class Body>
[[nodiscard]] MessageBytes compose(MessageType type, std::uint64_t from_port, std::uint64_t to_port, const Body& body,
                                   std::uint16_t handles = 0)
  requires std::is_trivially_copyable_v<Body> && (!std::is_convertible_v<Body, std::span<const std::byte>>)
{
  return compose(type, from_port, to_port, std::as_bytes(std::span(&body, 1)), handles);
}

/// The body, if it has exactly the size it must have.
template <class Body>
[[nodiscard]] std::optional<Body> parse(std::span<const std::byte> bytes) noexcept {
  static_assert(std::is_trivially_copyable_v<Body>);
  if (bytes.size() != sizeof(Body)) return std::nullopt;
  Body body;
  std::memcpy(&body, bytes.data(), sizeof body);
  return body;
}

/// Text for people in a fixed field: cut where needed, always ended by NUL.
template <std::size_t N>
void put_text(char (&field)[N], std::string_view text) noexcept {
  const std::size_t length = text.size() < N - 1 ? text.size() : N - 1;
  std::memset(field, 0, N);
  std::memcpy(field, text.data(), length);
}

/// What a peer wrote for people, made fit for messages, terminals and languages that decode strictly.
template <std::size_t N>
[[nodiscard]] std::string get_text(const char (&field)[N]) {
  return printable(std::string_view(field, ::strnlen(field, N)));
}

}  // namespace memlane::detail
