// Names that killed processes have left in the lane directory. Data never stays, since memory has no name; a name goes when
// somebody finds that nobody answers at its door.
//
// Called by the service thread, by any number of processes at once. A door's name is never used twice, so removing it can
// hit nobody else.
#pragma once

#include <set>
#include <string>

#include "memlane/platform/door.hpp"
#include "memlane/platform/files.hpp"
#include "memlane/roster/directory.hpp"
#include "memlane/roster/identity.hpp"
#include "memlane/roster/lane_folder.hpp"

namespace memlane::detail {

/// Whether it is certain that the process behind a door is gone.
[[nodiscard]] inline bool nobody_behind(const Directory& directory, const std::string& door) noexcept {
  try {
    return platform::knock(directory.ref(), door).outcome == platform::Knock::nobody;
  } catch (const Error&) {
    return false;
  }
}

/// Removes every name of those endpoints. `self`: who does it.
inline void remove_names_of(const Directory& directory, const EndpointId& self, const std::set<EndpointId>& endpoints) {
  if (endpoints.empty()) return;
  for (const std::string& name : platform::list_folder(directory.handle())) {
    if (name.starts_with("lane-"))
      LaneFolder::sweep(directory, self, name,
                        [&](const EndpointId& endpoint) { return endpoints.contains(endpoint); });
  }
  // Last: a door without a process marks the names that belong to it, for whoever comes if we die here.
  for (const EndpointId& endpoint : endpoints) platform::remove_file(directory.handle(), endpoint.door_name());
}

/// After a connection was lost: a process that ended in order has taken its names away itself.
inline void bury_if_dead(const Directory& directory, const EndpointId& self, std::set<EndpointId> candidates) {
  std::erase_if(candidates, [&](const EndpointId& endpoint) {
    const std::string door = endpoint.door_name();
    return !platform::identify(directory.handle(), door) || !nobody_behind(directory, door);
  });
  remove_names_of(directory, self, candidates);
}

/// Once, when a process joins: what others left when they were killed and nobody was there to see it.
inline void sweep_directory(const Directory& directory, const EndpointId& self) {
  std::set<EndpointId> dead;
  for (const std::string& name : platform::list_folder(directory.handle())) {
    if (!name.starts_with("door-")) continue;
    const auto endpoint = EndpointId::parse(std::string_view(name).substr(5));
    if (endpoint && *endpoint != self && nobody_behind(directory, name)) dead.insert(*endpoint);
  }
  remove_names_of(directory, self, dead);
}

}  // namespace memlane::detail
