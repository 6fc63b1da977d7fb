// Runs the core's tests in a lane directory of their own, so that they never meet the user's lanes nor those of a test
// that runs beside them, and fails if anything is left in it: whoever leaves a lane must leave nothing behind.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;

class LaneDirectory : public ::testing::Environment {
 public:
  void SetUp() override {
    const char* given = ::getenv("MEMLANE_DIR");
    // The name stays short: a socket's path ends at 108 bytes.
    path_ = (given != nullptr ? fs::path(given) : fs::temp_directory_path()) / "ml-XXXXXX";
    ASSERT_NE(::mkdtemp(path_.data()), nullptr) << "cannot create " << path_;
    ASSERT_EQ(::setenv("MEMLANE_DIR", path_.c_str(), 1), 0);
  }

  void TearDown() override {
    // The folders directly in it are its fixed parts; a file, or a folder in a folder, is a name left behind.
    for (auto entry = fs::recursive_directory_iterator(path_); entry != fs::recursive_directory_iterator(); ++entry) {
      if (!entry->is_directory() || entry.depth() > 0) ADD_FAILURE() << "left behind: " << entry->path();
    }
    fs::remove_all(path_);
  }

 private:
  std::string path_;
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(new LaneDirectory);
  return RUN_ALL_TESTS();
}
