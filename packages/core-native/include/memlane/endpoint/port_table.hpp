// The ports of this process in one lane directory, by the number under which messages find them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "memlane/endpoint/port.hpp"
#include "memlane/error.hpp"

namespace memlane::detail {

/// For any thread. Its mutex is the last one that is taken: nothing else is called under it, and no port ends under it.
class PortTable {
 public:
  /// Gives the port a number. From now on it is joining.
  [[nodiscard]] std::uint64_t add(const std::shared_ptr<Port>& port) {
    const std::lock_guard lock(mutex_);
    if (program_ends_) throw Error(ErrorCode::closed, "the program is ending: no port can be opened any more");
    const std::uint64_t number = next_++;
    const auto joining = joining_.insert(number).first;
    try {
      ports_[number] = port;
    } catch (...) {
      joining_.erase(joining);
      throw;
    }
    return number;
  }

  /// The port's names are in place, and it takes them away itself.
  void announced(std::uint64_t port) noexcept {
    const std::lock_guard lock(mutex_);
    joining_.erase(port);
  }

  void remove(std::uint64_t port) noexcept {
    const std::lock_guard lock(mutex_);
    ports_.erase(port);
    joining_.erase(port);
  }

  [[nodiscard]] std::shared_ptr<Port> find(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    const auto found = ports_.find(number);
    return found == ports_.end() ? nullptr : found->second.lock();
  }

  [[nodiscard]] std::vector<std::shared_ptr<Port>> all() const {
    std::vector<std::shared_ptr<Port>> ports;
    const std::lock_guard lock(mutex_);
    ports.reserve(ports_.size());
    for (const auto& [number, port] : ports_) {
      if (auto alive = port.lock()) ports.push_back(std::move(alive));
    }
    return ports;
  }

  /// No port is added any more. The names of those that are there can be taken away for them, unless some stay.
  void end_program() noexcept {
    const std::lock_guard lock(mutex_);
    program_ends_ = true;
    names_stay_ = !joining_.empty();
  }

  /// Whether the program ends while another thread puts names in place.
  [[nodiscard]] bool names_stay() const noexcept {
    const std::lock_guard lock(mutex_);
    return names_stay_;
  }

 private:
  friend struct TestAccess;  // starts near the wrap

  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, std::weak_ptr<Port>> ports_;
  std::set<std::uint64_t> joining_;  // ports whose names may appear at any moment
  bool program_ends_ = false;
  bool names_stay_ = false;
};

}  // namespace memlane::detail
