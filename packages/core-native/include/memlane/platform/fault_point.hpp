// Where a test may stop this process for good: a point after every change of what others can see.
//
// A test build (MEMLANE_FAULTS) calls a hook at each point, which may kill, freeze, fork or end the process there. In every
// other build a point is nothing. The suite kill-matrix passes all of them, in both roles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace memlane::detail {

/// Which end of a link comes by.
enum class PassedBy : std::uint8_t { sender, receiver, both };

struct NamedFaultPoint {
  std::string_view name;  ///< what has just been done
  PassedBy by;
};

/// All points there are. The names are those of the steps in docs/layout.md, and in their order.
inline constexpr auto fault_points = std::to_array<NamedFaultPoint>({
    // The door opens.
    {"door.made", PassedBy::both},  // with its rights, without a name
    {"door.bound", PassedBy::both},
    {"door.listening", PassedBy::both},
    {"door.shown", PassedBy::both},
    {"service.started", PassedBy::both},
    // A file is put in place: the lane file, an announcement.
    {"file.created", PassedBy::both},
    {"file.written", PassedBy::both},
    {"file.placed", PassedBy::both},
    {"file.tidied", PassedBy::both},
    // A port joins.
    {"port.numbered", PassedBy::both},
    {"lane.entered", PassedBy::both},
    {"lane.file-there", PassedBy::both},
    {"port.announced", PassedBy::both},
    {"lane.looked-at", PassedBy::both},
    {"port.called", PassedBy::both},
    {"port.joined", PassedBy::both},
    {"counters.shown", PassedBy::both},
    // Two processes meet.
    {"door.knocked", PassedBy::both},
    {"hello.sent", PassedBy::both},
    {"door.accepted", PassedBy::both},
    {"hello.heard", PassedBy::both},
    {"message.queued", PassedBy::both},
    {"message.flushed", PassedBy::both},
    // Memory: a half, or a segment.
    {"memory.created", PassedBy::both},
    {"memory.sized", PassedBy::both},
    {"memory.reserved", PassedBy::both},
    {"memory.mapped", PassedBy::both},
    {"memory.sealed", PassedBy::both},
    {"half.made", PassedBy::both},
    // A link.
    {"invite.sent", PassedBy::sender},
    {"invite.heard", PassedBy::receiver},
    {"half.sent", PassedBy::receiver},
    {"half.mapped", PassedBy::sender},
    {"history.pushed", PassedBy::sender},
    {"answer.sent", PassedBy::sender},
    {"answer.mapped", PassedBy::receiver},
    {"link.up", PassedBy::both},
    {"gone.sent", PassedBy::both},
    // Payload memory.
    {"segment.planned", PassedBy::sender},
    {"segment.added", PassedBy::sender},
    {"segment.announced", PassedBy::sender},
    {"segment.mapped", PassedBy::receiver},
    {"segment.known", PassedBy::receiver},
    {"segment.dropped", PassedBy::sender},
    {"segment.retracted", PassedBy::sender},
    {"segment.forgotten", PassedBy::receiver},
    {"loan.lent", PassedBy::sender},
    {"loan.given-up", PassedBy::sender},
    // Push.
    {"send.has-room", PassedBy::sender},
    {"push.ticketed", PassedBy::sender},
    {"push.stored", PassedBy::sender},
    {"push.shown", PassedBy::sender},
    {"send.pushed", PassedBy::sender},
    {"send.fenced", PassedBy::sender},
    {"send.rung", PassedBy::sender},
    {"send.remembered", PassedBy::sender},
    // Take.
    {"take.looked", PassedBy::receiver},
    {"take.head-stored", PassedBy::receiver},
    {"take.fenced", PassedBy::receiver},
    {"take.rung", PassedBy::receiver},
    {"skip.head-stored", PassedBy::receiver},
    {"yield.given", PassedBy::receiver},
    // Give back, collect.
    {"return.stored", PassedBy::receiver},
    {"return.shown", PassedBy::receiver},
    {"return.sent", PassedBy::receiver},  // as a message
    {"return.heard", PassedBy::sender},
    {"return.read", PassedBy::sender},
    {"return.collected", PassedBy::sender},
    // Take-back.
    {"floor.stored", PassedBy::sender},
    {"floor.fenced", PassedBy::sender},
    {"drop.counted", PassedBy::sender},
    // Sleeping and waking.
    {"sleep.armed", PassedBy::both},
    {"sleep.fenced", PassedBy::both},
    {"sleep.over", PassedBy::both},
    {"bell.rung", PassedBy::both},
    // Leaving.
    {"closing.sent", PassedBy::receiver},
    {"closing.heard", PassedBy::sender},
    {"leave.sent", PassedBy::both},
    {"leave.heard", PassedBy::both},
    {"port.unannounced", PassedBy::both},
    {"lane.file-removed", PassedBy::both},
    {"lane.folder-removed", PassedBy::both},
    {"lane.file-put-back", PassedBy::both},
    {"door.removed", PassedBy::both},
    {"connections.shut", PassedBy::both},
    // Somebody else's death.
    {"death.heard", PassedBy::both},
    {"death.told", PassedBy::both},
    {"dead.called", PassedBy::both},  // a port whose announcement is there and whose process is not
    {"dead.found", PassedBy::both},
    {"dead.name-removed", PassedBy::both},
    {"dead.door-removed", PassedBy::both},
    {"dead.hidden-door-removed", PassedBy::both},
});

/// A point by its name; a name that is not in the list does not compile.
class FaultPoint {
 public:
  consteval FaultPoint(const char* name) : index_(find(name)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] constexpr std::size_t index() const noexcept { return index_; }

 private:
  static consteval std::size_t find(std::string_view name) {
    for (std::size_t i = 0; i < fault_points.size(); ++i) {
      if (fault_points[i].name == name) return i;
    }
    throw std::logic_error("no such fault point");
  }
  std::size_t index_;
};

#if defined(MEMLANE_FAULTS)
/// Set by a test before the first port is opened.
inline void (*fault_point_hook)(FaultPoint) noexcept = nullptr;

inline void fault_point(FaultPoint point) noexcept {
  if (fault_point_hook != nullptr) fault_point_hook(point);
}
#else
constexpr void fault_point(FaultPoint /*point*/) noexcept {}
#endif

}  // namespace memlane::detail
