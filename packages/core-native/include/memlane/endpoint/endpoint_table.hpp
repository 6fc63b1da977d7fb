// The endpoints of this process: one for each lane directory in use.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "memlane/endpoint/endpoint.hpp"

namespace memlane::detail {

class EndpointTable {
 public:
  /// This process's endpoint in a directory; made if there is none. It lives as long as somebody holds it.
  [[nodiscard]] static std::shared_ptr<Endpoint> open(const std::filesystem::path& chosen,
                                                      const platform::Access& access) {
    const std::string path = directory_path(chosen, access);
    EndpointTable& table = instance();
    // Let go of behind the locks: whoever is the last to let go of an endpoint waits for its thread, which needs them.
    std::shared_ptr<Endpoint> endpoint;
    std::shared_ptr<Endpoint> out_of_place;
    const platform::ForkLock no_fork_now;
    const std::lock_guard lock(table.mutex_);
    if (table.generation_ != platform::fork_generation()) {
      // What is here are the parent's: their descriptors are closed, their threads are not here, and nothing of them may run.
      auto parents = std::make_unique<decltype(table.endpoints_)>();
      parents->swap(table.endpoints_);
      platform::leave_to_parent(parents.release());
      table.generation_ = platform::fork_generation();
    }
    std::weak_ptr<Endpoint>& entry = table.endpoints_[{path, access}];
    endpoint = entry.lock();
    // In a directory that was removed nobody would meet us. Its endpoint goes on for those who are linked.
    if (!endpoint || !endpoint->directory().is_in_place()) {
      out_of_place = std::exchange(endpoint, nullptr);
      endpoint = std::make_shared<Endpoint>(path, access);
      entry = endpoint;
    }
    return endpoint;
  }

 private:
  /// Never destroyed: ports may be static objects.
  static EndpointTable& instance() {
    const platform::ForkLock no_fork_now;  // one that is half made would never be made in the child
    static EndpointTable* const table = [] {
      auto* made = new EndpointTable;
      // A program that ends with open ports leaves no names behind either.
      std::atexit([] { instance().leave_all(); });
      return made;
    }();
    return *table;
  }

  void leave_all() noexcept {
    if (generation_ != platform::fork_generation()) return;
    try {
      const std::lock_guard lock(mutex_);
      for (const auto& [place, endpoint] : endpoints_) {
        // Ports that are destroyed after this find a stopped endpoint. It must outlive them all.
        if (auto one = endpoint.lock()) left_.push_back(std::move(one));
      }
    } catch (const std::bad_alloc&) {
      return;  // the process ends as if it were killed, which harms nobody
    }
    for (const auto& endpoint : left_) {
      try {
        endpoint->leave_lanes();
      } catch (const std::exception&) {
        // The process ends; whoever joins next removes what is left.
      }
      endpoint->stop();
    }
  }

  std::mutex mutex_;
  std::uint32_t generation_ = platform::fork_generation();
  // By whom the directory lets in as well: a port that asks for something else must not slip into an endpoint that is there.
  std::map<std::pair<std::string, platform::Access>, std::weak_ptr<Endpoint>> endpoints_;
  std::vector<std::shared_ptr<Endpoint>> left_;  // at the end of the program
};

}  // namespace memlane::detail
