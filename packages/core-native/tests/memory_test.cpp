// Shared memory: sealed by its owner, checked by whoever is given it, reserved before it is lent.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "memlane/memlane.hpp"
#include "memlane/platform/memory.hpp"
#include "support/emulation.hpp"
#include "support/expect_error.hpp"
#include "support/payload.hpp"

namespace memlane {
namespace {

namespace platform = detail::platform;
using platform::View;

const std::size_t page = platform::page_size();

platform::Handle raw_memory(std::size_t bytes, int seals, unsigned flags = MFD_ALLOW_SEALING) {
  platform::Handle handle(::memfd_create("hostile", MFD_CLOEXEC | flags));
  EXPECT_EQ(::ftruncate(handle.get(), static_cast<off_t>(bytes)), 0);
  if (seals != 0) {
    EXPECT_EQ(::fcntl(handle.get(), F_ADD_SEALS, seals), 0);
  }
  return handle;
}

void reserve(const platform::Handle& handle, std::size_t bytes) {
  EXPECT_EQ(::fallocate(handle.get(), 0, 0, static_cast<off_t>(bytes)), 0);
}

TEST(Memory, the_owner_writes_and_the_other_reads) {
  const auto memory = platform::create_memory("test", 4 * page);
  const auto view = platform::map_foreign_memory(memory.handle, 4 * page, View::read_only);
  std::memcpy(memory.mapping.data() + page, "hello", 6);
  EXPECT_STREQ(reinterpret_cast<const char*>(view.data() + page), "hello");
  EXPECT_NE(view.data(), memory.mapping.data());
}

TEST(Memory, nobody_can_change_it_through_its_handle) {
  const auto memory = platform::create_memory("test", 4 * page);
  const int handle = memory.handle.get();
  EXPECT_EQ(::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0), MAP_FAILED);
  EXPECT_EQ(::ftruncate(handle, static_cast<off_t>(page)), -1);
  EXPECT_EQ(::ftruncate(handle, static_cast<off_t>(8 * page)), -1);
  EXPECT_EQ(::pwrite(handle, "x", 1, 0), -1);
  EXPECT_EQ(::fallocate(handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(page)), -1);
  EXPECT_EQ(::fcntl(handle, F_ADD_SEALS, F_SEAL_WRITE), -1);
  // Not even one that is mapped for reading can be made writable.
  void* const view = ::mmap(nullptr, page, PROT_READ, MAP_SHARED, handle, 0);
  ASSERT_NE(view, MAP_FAILED);
  EXPECT_EQ(::mprotect(view, page, PROT_READ | PROT_WRITE), -1);
  ::munmap(view, page);
}

TEST(Memory, what_could_hurt_the_reader_is_refused) {
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
  const auto refused = [](const platform::Handle& handle, std::uint64_t claimed, const char* why) {
    EXPECT_ERROR(corrupt, platform::map_foreign_memory(handle, claimed, View::read_only), why);
  };
  platform::Handle good = raw_memory(2 * page, 0);
  reserve(good, 2 * page);
  ASSERT_EQ(::fcntl(good.get(), F_ADD_SEALS, seals), 0);
  EXPECT_NO_THROW(static_cast<void>(platform::map_foreign_memory(good, 2 * page, View::read_only)));
  for (const std::uint64_t claimed : {std::uint64_t{0}, std::uint64_t{page}, std::uint64_t{2 * page - 1},
                                      std::uint64_t{3 * page}, ~std::uint64_t{0}, std::uint64_t{1} << 63U}) {
    refused(good, claimed, "size");
  }
  refused(raw_memory(page, seals), page, "holes");
  refused(raw_memory(page, F_SEAL_SHRINK | F_SEAL_GROW), page, "not sealed");
  refused(raw_memory(page, F_SEAL_FUTURE_WRITE | F_SEAL_GROW), page, "not sealed");
  refused(raw_memory(page, 0), page, "not sealed");
  refused(raw_memory(page, 0, 0), page, "not sealed");
  refused(platform::Handle(::open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), page, "not a regular file");
  refused(platform::Handle(::open("/dev/zero", O_RDWR | O_CLOEXEC)), page, "not a regular file");
  refused(platform::Handle(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), page, "not");
  // Huge pages fault where small ones do not. The object can be made without a single one being free.
  if (const int huge = ::memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB); huge >= 0) {
    const platform::Handle handle(huge);
    EXPECT_EQ(::ftruncate(huge, 2 << 20), 0);
    EXPECT_EQ(::fcntl(huge, F_ADD_SEALS, seals), 0);
    refused(handle, 2 << 20, "not on tmpfs");
  }
}

TEST(Memory, a_stray_write_to_a_private_view_is_seen_by_nobody_and_goes_with_the_sample) {
  Publisher publisher("lane");
  Subscriber careless("lane", {.writable_view = true});
  Subscriber other("lane");
  publisher.send_copy(test::payload(3 * page, 1));
  {
    auto sample = careless.take(std::chrono::seconds(30));
    ASSERT_TRUE(sample);
    std::memset(const_cast<std::byte*>(sample->data()), 0xEE, sample->size());
    EXPECT_TRUE(test::is_payload(other.take(std::chrono::seconds(30))->bytes(), 1));
  }
  EXPECT_TRUE(publisher.flush(std::chrono::seconds(30)));
  publisher.send_copy(test::payload(3 * page, 2));
  EXPECT_TRUE(test::is_payload(careless.take(std::chrono::seconds(30))->bytes(), 2)) << "the same memory, lent again";
}

TEST(Memory, a_write_is_put_right_in_whatever_round_and_thread_it_happens) {
  Publisher publisher("lane");
  Subscriber careless("lane", {.writable_view = true});
  // Rounds without a write between those with one: a sample that nobody wrote to is released without a look at its pages.
  for (std::uint32_t round = 1; round <= 64; ++round) {
    publisher.send_copy(test::payload(round % 2 == 0 ? 3 * page : (std::size_t{1} << 20U) + page, round));
    auto sample = careless.take(std::chrono::seconds(30));
    ASSERT_TRUE(sample);
    ASSERT_TRUE(test::is_payload(sample->bytes(), round)) << "round " << round;
    auto* const data = const_cast<std::byte*>(sample->data());
    if (round % 4 == 0) data[round * 100] ^= std::byte{0xFF};
    if (round % 7 == 0) std::thread([&] { data[page] ^= std::byte{0xFF}; }).join();
    if (round % 9 == 0) {  // by the kernel
      const platform::Handle zeros(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
      EXPECT_EQ(::read(zeros.get(), data, 10), 10);
    }
  }
}

TEST(Memory, a_first_write_to_a_private_page_is_counted) {
  const auto memory = platform::create_memory("memlane-count", 2 * page);
  const auto view = platform::map_foreign_memory(memory.handle, 2 * page, platform::View::scribble);
  platform::populate(view);
  const auto before = platform::page_faults();
  ASSERT_TRUE(before);
  view.data()[page] = std::byte{1};
  const auto after = platform::page_faults();
  EXPECT_GT(after, before);
}

// The kernel gives back all that it reserved when a signal comes, and whoever tries again begins at the start.
TEST(Memory, a_large_loan_comes_to_its_end_under_a_fast_interval_timer) {
  static std::atomic<int> alarms{0};
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { ++alarms; };
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  const itimerval fast{{0, 2000}, {0, 2000}};
  const itimerval never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &fast, nullptr), 0);
  {
    Publisher publisher("lane");
    const Loan loan = publisher.loan(std::uint64_t{200} << 20U);
    EXPECT_EQ(loan.size(), std::uint64_t{200} << 20U);
  }
  ASSERT_EQ(::setitimer(ITIMER_REAL, &never, nullptr), 0);
  ::sigaction(SIGALRM, &before, nullptr);
  EXPECT_GT(alarms, 0);
}

TEST(Memory, a_limit_of_the_file_size_is_an_error_and_no_signal) {
  Publisher publisher("lane");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1 << 20, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_ERROR(out_of_memory, publisher.loan(10 << 20), "ulimit -f");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(publisher.loan(10 << 20));
}

TEST(Memory, a_core_dump_and_a_fork_are_spared_the_payloads) {
  SKIP_UNDER_QEMU("it does not hand MADV_DONTDUMP and MADV_DONTFORK on to the kernel");
  const auto memory = platform::create_memory("memlane-look-at-me", 4 * page);
  std::FILE* const maps = std::fopen("/proc/self/smaps", "r");
  ASSERT_NE(maps, nullptr);
  std::string flags;
  bool here = false;
  for (std::array<char, 4096> line{}; std::fgets(line.data(), line.size(), maps) != nullptr;) {
    const std::string_view text(line.data());
    if (text.find("memlane-look-at-me") != std::string_view::npos) here = true;
    if (here && text.starts_with("VmFlags:")) {
      flags = text;
      break;
    }
  }
  std::fclose(maps);
  EXPECT_NE(flags.find(" dd"), std::string::npos) << "not dumped: " << flags;
  EXPECT_NE(flags.find(" dc"), std::string::npos) << "not copied by fork: " << flags;
}

}  // namespace
}  // namespace memlane
