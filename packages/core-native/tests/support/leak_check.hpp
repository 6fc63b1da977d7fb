// Fails every test that leaves an open descriptor or a name in the lane directory behind.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/eventually.hpp"

namespace memlane::test {

namespace fs = std::filesystem;

/// What each open descriptor of this process is, as /proc tells it.
[[nodiscard]] inline std::map<int, std::string> open_descriptors() {
  std::vector<int> numbers;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
    numbers.push_back(std::stoi(entry.path().filename()));
  std::map<int, std::string> open;
  for (const int number : numbers) {
    std::error_code gone;  // the descriptor of the look itself
    const std::string what = fs::read_symlink("/proc/self/fd/" + std::to_string(number), gone).string();
    // The core keeps one look at its own page map for as long as a thread lives.
    if (!gone && !what.ends_with("/pagemap")) open.emplace(number, what);
  }
  return open;
}

[[nodiscard]] inline std::string describe(const std::map<int, std::string>& descriptors) {
  std::string text;
  for (const auto& [number, what] : descriptors) text += std::to_string(number) + " " + what + "\n";
  return text;
}

/// Every name below the lane directory.
[[nodiscard]] inline std::vector<std::string> names_in_lane_directory() {
  const char* const directory = ::getenv("MEMLANE_DIR");
  std::vector<std::string> names;
  std::error_code gone;  // names may vanish while we look
  for (fs::recursive_directory_iterator entry(directory, gone), end; !gone && entry != end; entry.increment(gone)) {
    names.push_back(fs::relative(entry->path(), directory, gone).string());
  }
  return names;
}

/// Added to GoogleTest's listeners: compares before and after each test.
class LeakCheck : public ::testing::EmptyTestEventListener {
 public:
  void OnTestStart(const ::testing::TestInfo& /*test*/) override { before_ = open_descriptors(); }

  void OnTestEnd(const ::testing::TestInfo& /*test*/) override {
    // A service thread that ends, or a peer that was killed, may need a moment.
    static_cast<void>(
        eventually([&] { return open_descriptors().size() <= before_.size() && names_in_lane_directory().empty(); },
                   std::chrono::seconds(5)));
    for (const auto& [number, what] : open_descriptors()) {
      const auto same = before_.find(number);
      if (same == before_.end() || same->second != what)
        ADD_FAILURE() << "left open: descriptor " << number << ", " << what;
    }
    for (const std::string& name : names_in_lane_directory()) ADD_FAILURE() << "left in the lane directory: " << name;
  }

 private:
  std::map<int, std::string> before_;
};

}  // namespace memlane::test
