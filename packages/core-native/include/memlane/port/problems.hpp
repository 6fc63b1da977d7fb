// What went wrong with the links of a receiving port: counted, and each told once to whoever takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "memlane/error.hpp"

namespace memlane::detail {

/// Has no lock: its port's mutex is held.
class Problems {
 public:
  explicit Problems(const std::string& lane) : lane_(lane) {}

  /// A link was dropped. `pid`: 0 if it is not known. What went wrong may have been that there is no memory: then the news is
  /// shorter.
  void note(ErrorCode code, std::int64_t pid, std::string_view what, std::string_view why) noexcept {
    ++count_;
    if (untold_.size() == most_untold) return;
    try {
      const std::string whose = pid == 0 ? "a publisher" : "the publisher in process " + std::to_string(pid);
      std::string text = "the link to " + whose + " on lane \"" + lane_ + "\" was dropped: ";
      text.append(what).append(why);
      untold_.emplace_back(code, text, lane_);
    } catch (const std::bad_alloc&) {
      unnoted_ = true;
    }
  }

  /// Throws the oldest one that was not told yet, if there is one.
  void tell() {
    if (std::exchange(unnoted_, false)) {
      throw Error(ErrorCode::out_of_memory,
                  "links on lane \"" + lane_ + "\" were dropped, and there was no memory left to note why", lane_);
    }
    if (untold_.empty()) return;
    const Error problem = untold_.front();
    untold_.pop_front();
    told_last_ = true;
    throw problem;
  }

  /// The same, but not twice in a row: a peer that makes one problem after the other keeps nobody from the others' samples.
  void tell_in_turn() {
    if (!std::exchange(told_last_, false)) tell();
  }

  [[nodiscard]] bool is_one_untold() const noexcept { return unnoted_ || !untold_.empty(); }

  /// How many there were.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  static constexpr std::size_t most_untold = 100;  // kept for a program that does not look

  const std::string& lane_;
  std::deque<Error> untold_;
  bool unnoted_ = false;    // there was no memory left to note one
  bool told_last_ = false;  // the last look told one
  std::uint64_t count_ = 0;
};

}  // namespace memlane::detail
