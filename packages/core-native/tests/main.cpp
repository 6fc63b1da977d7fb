// Runs the core's tests in a lane directory of their own, so that they never meet the user's lanes nor those of a test
// that runs beside them, and fails every test that leaves something behind: a name, or an open descriptor.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "support/leak_check.hpp"

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

  void TearDown() override { fs::remove_all(path_); }

 private:
  std::string path_;
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(new LaneDirectory);
  ::testing::UnitTest::GetInstance()->listeners().Append(new memlane::test::LeakCheck);
  return RUN_ALL_TESTS();
}
