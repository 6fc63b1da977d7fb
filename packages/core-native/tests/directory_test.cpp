// The lane directory and its files: only what is ours alone is used, what is damaged is refused in clear words, and nothing
// is left behind by a refusal.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "memlane/memlane.hpp"
#include "support/child_process.hpp"
#include "support/eventually.hpp"
#include "support/expect_error.hpp"
#include "support/leak_check.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::eventually;
using test::names_in_lane_directory;

fs::path lane_directory() {
  return ::getenv("MEMLANE_DIR");
}

fs::path folder_of(const LaneName& lane) {
  return lane_directory() / detail::lane_folder_name(detail::lane_hash(lane.text()));
}

/// A directory of the test's own, removed with it.
class Scratch : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = fs::temp_directory_path() / "ml-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    scratch = path;
  }
  void TearDown() override { fs::remove_all(scratch); }

  static void refused(ErrorCode code, const fs::path& directory, const char* why) {
    EXPECT_TRUE(test::throws_error(code, why, [&] { const Publisher port("lane", {.directory = directory}); }));
    EXPECT_TRUE(test::throws_error(code, why, [&] { const Subscriber port("lane", {.directory = directory}); }));
  }

  fs::path scratch;
};

using LaneDirectory = Scratch;

TEST_F(LaneDirectory, is_made_with_its_parents_for_its_owner_alone) {
  ::umask(0);
  const fs::path deep = scratch / "a" / "b" / "c";
  {
    const Publisher port("lane", {.directory = deep});
    for (const fs::path& path : {deep, deep / detail::lane_folder_name(detail::lane_hash("lane"))}) {
      struct stat status{};
      ASSERT_EQ(::stat(path.c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 0777U, 0700U) << path;
    }
    for (const auto& entry : fs::recursive_directory_iterator(deep)) {
      struct stat status{};
      ASSERT_EQ(::lstat(entry.path().c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 0077U, 0U) << entry.path();
    }
  }
  ::umask(022);
  EXPECT_TRUE(fs::is_empty(deep));
}

TEST_F(LaneDirectory, that_others_may_enter_is_refused) {
  for (const mode_t mode : {0755U, 0701U, 0777U, 01777U, 0710U}) {
    ASSERT_EQ(::chmod(scratch.c_str(), mode), 0);
    refused(ErrorCode::foreign_directory, scratch, "chmod 700");
    EXPECT_TRUE(fs::is_empty(scratch));
  }
}

TEST_F(LaneDirectory, behind_a_symbolic_link_is_refused) {
  fs::create_directory(scratch / "real");
  ASSERT_EQ(::chmod((scratch / "real").c_str(), 0700), 0);
  fs::create_directory_symlink(scratch / "real", scratch / "link");
  refused(ErrorCode::foreign_directory, scratch / "link", "symbolic link");
  refused(ErrorCode::foreign_directory, fs::path((scratch / "link").string() + "/"), "symbolic link");
  refused(ErrorCode::foreign_directory, fs::path((scratch / "link").string() + "//."), "symbolic link");
  EXPECT_TRUE(fs::is_empty(scratch / "real"));
}

TEST_F(LaneDirectory, that_is_a_file_is_refused) {
  std::ofstream(scratch / "file") << "x";
  refused(ErrorCode::foreign_directory, scratch / "file", "not a directory");
  EXPECT_EQ(fs::file_size(scratch / "file"), 1U);
}

TEST_F(LaneDirectory, is_one_however_its_path_is_written) {
  Publisher publisher("lane", {.directory = scratch / "x"});
  Subscriber subscriber("lane", {.directory = fs::path(scratch.string() + "//y/../x/")});
  EXPECT_EQ(publisher.send_copy(test::payload(1, 1)), 1U);
  const auto doors =
      std::count_if(fs::directory_iterator(scratch / "x"), fs::directory_iterator(),
                    [](const auto& entry) { return entry.path().filename().string().starts_with("door-"); });
  EXPECT_EQ(doors, 1) << "one endpoint";
}

TEST_F(LaneDirectory, with_a_path_longer_than_a_socket_address_works) {
  const fs::path deep = scratch / std::string(100, 'l') / std::string(100, 'm');
  Publisher publisher("lane", {.directory = deep});
  Subscriber subscriber("lane", {.directory = deep});
  EXPECT_EQ(publisher.send_copy(test::payload(1, 1)), 1U);
}

// For a group the directory gets its rights under a name beside it, and then its own.
TEST_F(LaneDirectory, that_a_dead_one_had_half_made_goes_at_the_next_join) {
  const std::vector<std::string> others{"lanes.making-full00", "lanes.making-1234567", "lanes.making-",
                                        "lane.making-abcdef"};
  for (const std::string& name : others) fs::create_directory(scratch / name);
  fs::create_directory(scratch / others[0] / "x");
  const fs::path living = scratch / "lanes.making-living";
  fs::create_directory(living);
  // As its maker has it, in another process for the kernel: locks belong to what was opened.
  const detail::platform::Handle locked(::open(living.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(locked.get(), LOCK_EX | LOCK_NB), 0);
  const PublisherOptions for_own_group{.directory = scratch / "lanes", .group = std::to_string(::getegid())};
  for (const bool is_there : {false, true}) {
    SCOPED_TRACE(is_there);
    EXPECT_EQ(fs::exists(scratch / "lanes"), is_there);
    const fs::path dead = scratch / "lanes.making-aB3xyZ";
    fs::create_directory(dead);
    const Publisher port("lane", for_own_group);
    EXPECT_FALSE(fs::exists(dead));
    for (const std::string& name : others) EXPECT_TRUE(fs::exists(scratch / name)) << name;
    EXPECT_TRUE(fs::exists(living)) << "its maker lives";
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch), {}), std::ptrdiff_t(others.size()) + 2) << "and no other";
}

// ---- lane files ----

using LaneFiles = ::testing::Test;

/// Puts a lane file in place and tries to join.
void with_lane_file(const std::string& content, ErrorCode code, const char* words) {
  SCOPED_TRACE(words);
  const fs::path folder = folder_of("lane");
  fs::create_directory(folder);
  ASSERT_EQ(::chmod(folder.c_str(), 0700), 0);
  std::ofstream(folder / "lane", std::ios::binary) << content;
  EXPECT_TRUE(test::throws_error(code, words, [] { const Publisher port("lane"); }));
  EXPECT_TRUE(test::throws_error(code, words, [] { const Subscriber port("lane"); }));
  EXPECT_TRUE(eventually([&] { return names_in_lane_directory().size() == 2; })) << "only the folder and its file stay";
  fs::remove_all(folder);
}

std::string lane_file(const std::function<void(detail::LaneFile&)>& change) {
  detail::LaneFile file{};
  file.magic = detail::lane_file_magic;
  file.version = detail::layout_version;
  file.bytes = sizeof file;
  file.pattern = static_cast<std::uint32_t>(detail::Pattern::publish_subscribe);
  file.name_bytes = 4;
  std::memcpy(file.name, "lane", 4);
  change(file);
  return {reinterpret_cast<const char*>(&file), sizeof file};
}

TEST(LaneFile, that_is_not_ours_is_refused) {
  with_lane_file("", ErrorCode::corrupt, "not written by memlane");
  with_lane_file("something else, long enough to hold a magic number", ErrorCode::corrupt, "not written by memlane");
  with_lane_file(lane_file([](auto& file) { file.magic ^= 1U; }), ErrorCode::corrupt, "not written by memlane");
}

TEST(LaneFile, that_is_truncated_or_damaged_is_refused) {
  const std::string good = lane_file([](auto&) {});
  for (const std::size_t size : {16UL, 100UL, 255UL})
    with_lane_file(good.substr(0, size), ErrorCode::corrupt, "truncated");
  with_lane_file(good.substr(0, 15), ErrorCode::corrupt, "not written by memlane");
  with_lane_file(lane_file([](auto& file) { file.name_bytes = 201; }), ErrorCode::corrupt, "damaged");
  with_lane_file(lane_file([](auto& file) { file.bytes = 1; }), ErrorCode::corrupt, "damaged");
  with_lane_file(lane_file([](auto& file) { file.name[0] = 'L'; }), ErrorCode::corrupt, "another lane");
  with_lane_file(good + "x", ErrorCode::corrupt, "lane");
}

TEST(LaneFile, of_another_version_is_refused_whatever_else_it_holds) {
  const auto other = [](std::uint32_t version) { return lane_file([&](auto& file) { file.version = version; }); };
  with_lane_file(other(2), ErrorCode::version_mismatch, "of layout version 2, this memlane speaks version 1");
  with_lane_file(other(0), ErrorCode::version_mismatch, "version 0");
  with_lane_file(other(9).substr(0, 40), ErrorCode::version_mismatch, "version 9");
  with_lane_file(other(9) + std::string(5000, 'x'), ErrorCode::version_mismatch, "version 9");
}

TEST(LaneFile, of_another_pattern_is_refused) {
  with_lane_file(lane_file([](auto& file) { file.pattern = static_cast<std::uint32_t>(detail::Pattern::work_queue); }),
                 ErrorCode::pattern_mismatch, "work queue");
  with_lane_file(lane_file([](auto& file) { file.pattern = 77; }), ErrorCode::pattern_mismatch, "unknown");
}

TEST(LaneFile, that_is_no_regular_file_is_refused_and_not_waited_for) {
  const fs::path folder = folder_of("lane");
  fs::create_directory(folder);
  ASSERT_EQ(::chmod(folder.c_str(), 0700), 0);
  fs::create_symlink("/etc/passwd", folder / "lane");
  EXPECT_ERROR(corrupt, Publisher("lane"), "symbolic link");
  fs::remove(folder / "lane");
  ASSERT_EQ(::mkfifo((folder / "lane").c_str(), 0600), 0);
  EXPECT_ERROR(corrupt, Publisher("lane"), "not a regular file");
  fs::remove(folder / "lane");
  fs::create_directory(folder / "lane");
  EXPECT_ERROR(corrupt, Publisher("lane"), "not a regular file");
  fs::remove_all(folder);
}

TEST(LaneFolder, that_others_may_enter_is_refused) {
  const fs::path folder = folder_of("lane");
  fs::create_directory(folder);
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  EXPECT_ERROR(foreign_directory, Publisher("lane"), "chmod 700");
  fs::remove_all(folder);
  std::ofstream(folder.string()) << "x";
  EXPECT_ERROR(foreign_directory, Publisher("lane"), "not a folder");
  fs::remove(folder);
  EXPECT_EQ(Publisher("lane").send_copy(test::payload(1, 1)), 0U) << "the lane is usable again";
}

// ---- names ----

TEST(Names, tell_kind_and_address_and_nothing_else_is_a_port) {
  const detail::PortAddress address{detail::EndpointId{{0x123, 0xABCDEF}}, 42};
  const std::string name = detail::announcement_name(detail::PortKind::subscriber, address);
  EXPECT_EQ(name, "sub-00000000000001230000000000abcdef-2a");
  const auto parsed = detail::parse_announcement_name(name);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->kind, detail::PortKind::subscriber);
  EXPECT_EQ(parsed->address, address);
  for (const char* const other : {"lane", "", "-", "sub-", "sub-0-1", "sub-00000000000001230000000000abcdef-",
                                  "sub-00000000000001230000000000abcdef-xyz", "who-00000000000001230000000000abcdef-1",
                                  "sub-00000000000001230000000000abcdef-2a-3"}) {
    EXPECT_FALSE(detail::parse_announcement_name(other)) << other;
  }
}

TEST(Names, of_a_live_lane_are_one_door_one_file_and_one_announcement_a_port) {
  Publisher publisher("lane");
  Subscriber subscriber("lane");
  EXPECT_EQ(names_in_lane_directory().size(), 1U + 1 + 1 + 2);
}

TEST(Names, of_doors_behind_which_nobody_is_go_at_the_next_join) {
  // As left by a kill: a door, one that was not shown yet, an announcement, a folder without anything.
  const auto dead = detail::EndpointId::fresh();
  const auto hidden = detail::EndpointId::fresh();
  for (const std::string& name : {dead.door_name(), "." + hidden.door_name()}) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, (lane_directory() / name).c_str(), sizeof address.sun_path - 1);
    const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(socket);
  }
  for (const char* const lane : {"one", "two", "three"}) {
    fs::create_directory(folder_of(lane));
    ASSERT_EQ(::chmod(folder_of(lane).c_str(), 0700), 0);
  }
  std::ofstream(folder_of("one") / detail::announcement_name(detail::PortKind::publisher, {dead, 1})) << "x";
  std::ofstream(folder_of("one") / ("." + detail::announcement_name(detail::PortKind::publisher, {dead, 2}))) << "x";
  std::ofstream(folder_of("two") / (".lane-" + dead.text() + "-1")) << "x";
  std::ofstream(folder_of("two") / "lane") << "x";
  {
    const Publisher other("somewhere/else");
    EXPECT_TRUE(eventually([] { return names_in_lane_directory().size() == 4; }));
  }
  EXPECT_TRUE(names_in_lane_directory().empty());
}

// A directory that was removed under running peers: those who are linked go on, and new ports meet anew.
TEST(LaneDirectoryRemoved, peers_go_on_and_new_ports_meet) {
  const fs::path directory = lane_directory() / "removed";
  {
    Publisher publisher("lane", {.directory = directory});
    Subscriber subscriber("lane", {.directory = directory});
    fs::remove_all(directory);
    EXPECT_EQ(publisher.send_copy(test::payload(1000, 1)), 1U);
    EXPECT_TRUE(subscriber.take(30s));
    Publisher new_publisher("lane", {.directory = directory});
    Subscriber new_subscriber("lane", {.directory = directory});
    EXPECT_EQ(new_publisher.send_copy(test::payload(1000, 2)), 1U);
    EXPECT_EQ(new_subscriber.take(30s)->size(), 1000U);
    EXPECT_EQ(publisher.send_copy(test::payload(1000, 3)), 1U);
  }
  EXPECT_TRUE(fs::is_empty(directory));
  fs::remove(directory);
}

TEST_F(LaneDirectory, whose_endpoint_ends_while_another_takes_its_place_holds_nobody_up) {
  using detail::EndpointTable;
  for (int round = 0; round < 40; ++round) {
    const fs::path directory = scratch / ("d" + std::to_string(round));
    std::vector<detail::platform::Handle> doors;
    {
      const detail::Directory there(directory);
      // So many that the service thread still knocks at them when its endpoint is let go of.
      for (int i = 0; i < 50; ++i)
        doors.push_back(detail::platform::open_door(there.ref(), detail::EndpointId::fresh().door_name()));
    }
    auto first = EndpointTable::open(directory, {});
    fs::rename(directory, scratch / ("old" + std::to_string(round)));
    auto opening = std::async(std::launch::async, [&] { static_cast<void>(EndpointTable::open(directory, {})); });
    std::this_thread::sleep_for(std::chrono::microseconds(round * 10));  // no wait for anything: some round hits it
    first.reset();
    if (opening.wait_for(test::patience) != std::future_status::ready) {
      std::fputs("an endpoint waits for its thread, and that for a lock\n", stderr);
      std::abort();  // neither can be ended
    }
  }
}

}  // namespace
}  // namespace memlane
