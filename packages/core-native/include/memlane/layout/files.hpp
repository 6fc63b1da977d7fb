// The files of a lane: the lane file, which tells what the lane is, and the announcement of each port.
#pragma once

#include <cstddef>
#include <cstdint>

#include "memlane/layout/version.hpp"

namespace memlane::detail {

enum class Pattern : std::uint32_t { publish_subscribe = 1, work_queue = 2, request_reply = 3 };

enum class PortKind : std::uint8_t {
  publisher = 1,
  subscriber = 2,
  producer = 3,
  consumer = 4,
  client = 5,
  server = 6
};

/// Written once, put in place whole; the first one wins and nobody changes it.
struct LaneFile {
  std::uint64_t magic;    // lane_file_magic
  std::uint32_t version;  // layout_version
  std::uint32_t bytes;    // of this struct
  std::uint32_t pattern;  // Pattern
  std::uint32_t name_bytes;
  char name[200];  // UTF-8, not ended
  std::uint64_t reserved[4];
};
static_assert(sizeof(LaneFile) == 256 && offsetof(LaneFile, name) == 24);

/// Written by the port's owner alone; read by people's tools, never by ports: those trust only what comes over a
/// connection.
struct Announcement {
  std::uint64_t magic;    // announcement_magic
  std::uint32_t version;  // layout_version
  std::uint32_t bytes;    // of this struct
  std::uint64_t endpoint[2];
  std::uint64_t port;
  std::uint8_t kind;      // PortKind
  std::uint8_t overflow;  // Overflow; receiving ports
  std::uint8_t checksum;  // Checksum; sending ports
  std::uint8_t reserved;
  std::uint32_t depth;  // depth of receiving, history of sending ports
  std::int64_t pid;
  std::int64_t opened_time;  // nanoseconds, CLOCK_MONOTONIC
  char process[32];
  char label[64];
  // Live counters, written by the owner as it goes (at most ten times a second).
  std::uint64_t samples;  // sent or received
  std::uint64_t bytes_moved;
  std::uint64_t dropped;
  std::uint64_t waiting;
  std::uint64_t memory;
  std::uint64_t peers;
  std::int64_t counters_time;  // when the counters were written
};
static_assert(sizeof(Announcement) == 216 && offsetof(Announcement, samples) == 160);

}  // namespace memlane::detail
