// Names that killed processes have left in the lane directory. Data never stays, since memory has no name; a name goes when
// somebody finds that nobody answers at its door.
//
// Called by the service thread, by any number of processes at once. A door's name is never used twice, so removing it can
// hit nobody else.
#pragma once

#include <exception>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "memlane/platform/door.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/platform/files.hpp"
#include "memlane/roster/directory.hpp"
#include "memlane/roster/identity.hpp"
#include "memlane/roster/lane_folder.hpp"

namespace memlane::detail {

/// Whether it is certain that the process behind a door is gone.
[[nodiscard]] inline bool nobody_behind(const Directory& directory, const std::string& door) noexcept {
  try {
    return platform::knock(directory.ref(), door).outcome == platform::Knock::nobody;
  } catch (const std::exception&) {
    return false;
  }
}

/// Whether a door, shown or still hidden, is of no use any more. In a group's directory nobody but its maker can knock at a
/// hidden one that is not open to the group yet. It is taken for one whose maker was killed: a maker that lives, and finds it
/// gone, opens its door anew.
[[nodiscard]] inline bool is_left_behind(const Directory& directory, const std::string& door) noexcept {
  try {
    const auto outcome = platform::knock(directory.ref(), door).outcome;
    if (outcome == platform::Knock::nobody) return true;
    return outcome == platform::Knock::stranger && directory.access().group && door.starts_with('.');
  } catch (const std::exception&) {
    return false;
  }
}

/// The endpoint that a name in the lane directory is the door of, also while it is hidden: a process that was killed just
/// before it showed its door leaves a hidden one.
[[nodiscard]] inline std::optional<EndpointId> endpoint_of_door(std::string_view name) noexcept {
  if (name.starts_with('.')) name.remove_prefix(1);
  if (!name.starts_with("door-")) return std::nullopt;
  return EndpointId::parse(name.substr(5));
}

/// Removes every name of those endpoints. `self`: who does it.
inline void remove_names_of(const Directory& directory, const EndpointId& self, const std::set<EndpointId>& endpoints) {
  if (endpoints.empty()) return;
  fault_point("dead.found");
  for (const std::string& name : platform::list_folder(directory.handle())) {
    if (name.starts_with("lane-"))
      LaneFolder::sweep(directory, self, name,
                        [&](const EndpointId& endpoint) { return endpoints.contains(endpoint); });
    if (const auto maker = LaneFolder::hidden_folder_maker(name); maker && endpoints.contains(*maker))
      platform::remove_folder(directory.handle(), name);
  }
  // Last: a door without a process marks the names that belong to it, for whoever comes if we die here.
  for (const EndpointId& endpoint : endpoints) {
    platform::remove_file(directory.handle(), endpoint.door_name());
    fault_point("dead.door-removed");
  }
}

/// After a connection was lost. A process that ended in order has taken its names away itself. Returns those at whose door
/// somebody still answers: a process that dies closes one descriptor after the other, and the door may be the last.
[[nodiscard]] inline std::set<EndpointId> bury_if_dead(const Directory& directory, const EndpointId& self,
                                                       const std::set<EndpointId>& candidates) {
  std::set<EndpointId> dead;
  std::set<EndpointId> answering;
  for (const EndpointId& endpoint : candidates) {
    const std::string door = endpoint.door_name();
    if (!platform::identify(directory.handle(), door)) continue;
    (nobody_behind(directory, door) ? dead : answering).insert(endpoint);
  }
  remove_names_of(directory, self, dead);
  return answering;
}

/// Once, when a process joins: what others left when they were killed and nobody was there to see it.
inline void sweep_directory(const Directory& directory, const EndpointId& self) {
  std::set<EndpointId> dead;
  for (const std::string& name : platform::list_folder(directory.handle())) {
    const auto endpoint = endpoint_of_door(name);
    if (!endpoint || *endpoint == self || !is_left_behind(directory, name)) continue;
    if (name.starts_with('.')) {
      // Nothing else has its name yet; a process that is alive, between two steps, opens its door anew.
      platform::remove_file(directory.handle(), name);
      fault_point("dead.hidden-door-removed");
    } else {
      dead.insert(*endpoint);
    }
  }
  remove_names_of(directory, self, dead);
}

}  // namespace memlane::detail
