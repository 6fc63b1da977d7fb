// The bell: rings for whoever waits, never blocks and never harms whoever rings.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <limits>
#include <optional>
#include <string>

#include "memlane/platform/bell.hpp"
#include "support/expect_error.hpp"

namespace memlane {
namespace {

using detail::platform::Bell;
using detail::platform::ForeignBell;
using detail::platform::Handle;

ForeignBell handed_over(const Bell& bell) {
  return ForeignBell(Handle(::fcntl(bell.write_handle(), F_DUPFD_CLOEXEC, 0)));
}

bool has_rung(const Bell& bell) {
  pollfd look{bell.waitable(), POLLIN, 0};
  return ::poll(&look, 1, 0) == 1;
}

TEST(Bell, rings_until_it_is_cleared) {
  const Bell bell;
  const ForeignBell peer = handed_over(bell);
  EXPECT_EQ(bell.wait(0), Bell::Wake::timed_out);
  for (int i = 0; i < 3; ++i) peer.ring();
  EXPECT_EQ(bell.wait(std::numeric_limits<std::int64_t>::max()), Bell::Wake::rung);
  EXPECT_TRUE(has_rung(bell));
  bell.clear();
  EXPECT_FALSE(has_rung(bell));
}

TEST(Bell, a_ring_does_not_block_on_a_full_bell) {
  const Bell bell;
  const ForeignBell peer = handed_over(bell);
  for (int i = 0; i < 200'000; ++i) peer.ring();
  EXPECT_TRUE(has_rung(bell));
  while (has_rung(bell)) bell.clear();
}

TEST(Bell, a_ring_does_not_block_when_the_owner_makes_its_end_blocking) {
  const Bell bell;
  const ForeignBell peer = handed_over(bell);
  ASSERT_EQ(::fcntl(bell.write_handle(), F_SETFL, 0), 0);
  for (int i = 0; i < 200'000; ++i) peer.ring();
  EXPECT_TRUE(has_rung(bell));
}

// The default action of SIGPIPE is the end of the process: a dead peer would take the living with it.
TEST(Bell, a_ring_for_a_process_that_is_gone_does_no_harm) {
  auto bell = std::make_optional<Bell>();
  const ForeignBell peer = handed_over(*bell);
  bell.reset();
  sigset_t pipe_signal;
  sigset_t before;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before), 0);
  peer.ring();
  const timespec no_time{};
  EXPECT_EQ(::sigtimedwait(&pipe_signal, nullptr, &no_time), -1) << "SIGPIPE was raised";
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// Whoever can read a bell can swallow the rings of others.
TEST(Bell, of_another_user_can_be_rung_and_not_listened_to) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  constexpr gid_t group = 2345678;
  auto bell = std::make_optional<Bell>();
  bell->let_in({group});
  ASSERT_EQ(::setegid(group), 0);
  ASSERT_EQ(::seteuid(65534), 0);
  const std::string path = "/proc/self/fd/" + std::to_string(bell->write_handle());
  for (const int how : {O_RDONLY, O_RDWR}) {
    EXPECT_EQ(::open(path.c_str(), how | O_NONBLOCK | O_CLOEXEC), -1);
    EXPECT_EQ(errno, EACCES);
  }
  const ForeignBell peer = handed_over(*bell);
  peer.ring();
  EXPECT_TRUE(has_rung(*bell));
  for (int i = 0; i < 100'000; ++i) peer.ring();
  bell.reset();
  peer.ring();  // the default action of SIGPIPE would be the end
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_EQ(::setegid(0), 0);
  sigset_t pending;
  ASSERT_EQ(::sigpending(&pending), 0);
  EXPECT_FALSE(::sigismember(&pending, SIGPIPE));
}

TEST(Bell, a_handle_that_is_no_pipe_is_refused) {
  EXPECT_ERROR(corrupt, ForeignBell(Handle(::open("/dev/null", O_WRONLY | O_CLOEXEC))), "not a pipe");
  EXPECT_ERROR(corrupt, ForeignBell(Handle(::open("/tmp", O_RDONLY | O_CLOEXEC))), "not a pipe");
}

}  // namespace
}  // namespace memlane
