// What each system call of the core can fail with, as far as a kernel that tells the truth goes: a live peer's door does not
// refuse, a socket that somebody holds is not closed, and a bell that is not full takes a ring.
#pragma once

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string_view>
#include <vector>

namespace memlane::nth_call {

struct Plausible {
  std::string_view call;
  std::vector<int> errors;  // none: it cannot fail here, and is behind the gate for tests of other kinds
};

// A row for every gate of the core: scripts/tests/gate.test.mjs sees to that.
inline const std::vector<Plausible> plausible{
    {"accept4", {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EINTR, EAGAIN}},
    {"access", {EACCES, ENOMEM, EIO}},
    {"bind", {EACCES, EADDRINUSE, ENOENT, ENOSPC, EROFS}},
    {"chmod", {EPERM}},
    {"connect", {EAGAIN, EINTR, ENOMEM}},
    {"epoll_create1", {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl(ADD)", {ENOMEM, ENOSPC}},
    {"epoll_ctl(DEL)", {ENOMEM}},
    {"epoll_ctl(MOD)", {ENOMEM}},
    {"epoll_wait", {EINTR}},
    {"eventfd", {EMFILE, ENFILE, ENOMEM}},
    {"fallocate", {ENOSPC, ENOMEM, EINTR, EFBIG}},
    {"fchmod", {EPERM, EROFS}},
    {"fchown", {EPERM, EROFS}},
    {"fchownat", {EPERM, EROFS}},
    {"fcntl(F_ADD_SEALS)", {EBUSY, EPERM}},
    {"fcntl(F_DUPFD_CLOEXEC)", {EMFILE}},
    {"fcntl(F_GETPIPE_SZ)", {}},
    {"fcntl(F_GET_SEALS)", {}},
    {"fcntl(F_SETPIPE_SZ)", {EPERM, EBUSY, ENOMEM}},
    {"fdopendir", {ENOMEM}},
    {"fgetxattr", {EOPNOTSUPP}},
    {"flock", {EINTR, EWOULDBLOCK, ENOLCK}},
    {"fstat", {ENOMEM}},
    {"fstatat", {ENOMEM, EACCES}},
    {"fstatfs", {EINTR, ENOMEM, EIO}},
    {"ftruncate", {EINTR, ENOMEM, EFBIG}},
    {"getgroups", {}},
    {"getrandom", {EINTR, ENOSYS}},
    {"getrlimit", {}},
    {"getrusage", {}},
    {"getsockopt(SO_PEERCRED)", {}},
    {"getsockopt(SO_PEERGROUPS)", {}},
    {"getsockopt(SO_PEERPIDFD)", {ENOPROTOOPT, EMFILE, ENODATA}},
    {"ioctl", {ENOTTY, EINVAL, ENOMEM}},
    {"linkat", {EEXIST, ENOSPC, EIO, EDQUOT}},
    {"listen", {EADDRINUSE}},
    {"lstat", {ENOENT, EACCES}},
    {"madvise", {EAGAIN, ENOMEM, EINVAL}},
    {"madvise(MADV_DONTNEED)", {}},
    {"memfd_create", {EMFILE, ENFILE, ENOMEM, EINVAL}},
    {"mkdir", {EEXIST, EACCES, ENOSPC, EROFS}},
    {"mkdirat", {EEXIST, EACCES, ENOSPC, EROFS, EDQUOT}},
    {"mkdtemp", {EACCES, ENOSPC}},
    {"mmap", {ENOMEM, ENFILE}},
    {"open(bell)", {EMFILE, ENFILE, ENOMEM, ENOENT, EINTR}},
    {"open(folder)", {EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, EINTR}},
    {"open(pagemap)", {EMFILE, ENOENT, EACCES}},
    {"open(text)", {EMFILE, ENFILE, ENOMEM, ENOENT, EINTR}},
    {"openat", {EMFILE, ENFILE, ENOMEM, ENOSPC, EINTR}},
    {"pipe2", {EMFILE, ENFILE}},
    {"ppoll", {EINTR, ENOMEM}},
    {"pthread_create", {EAGAIN}},
    {"pwrite", {ENOSPC, EIO, EINTR}},
    {"read(bell)", {EINTR, EAGAIN}},
    {"read(eventfd)", {EINTR, EAGAIN}},
    {"read(file)", {EINTR, EIO}},
    {"read(text)", {EINTR, EIO, ENOMEM}},
    {"readdir", {EIO, ENOMEM}},
    {"readlink", {ENOENT, EACCES, ENOMEM}},
    {"recvmsg", {EINTR, EAGAIN, ECONNRESET, ENOMEM, ENOBUFS}},
    {"renameat", {EIO, ENOSPC, ENOENT}},
    {"sched_getaffinity", {EINVAL}},
    {"sendmsg", {EAGAIN, EINTR, ENOBUFS, ENOMEM, ETOOMANYREFS}},
    {"setsockopt(SO_LINGER)", {}},
    {"setsockopt(SO_SNDBUF)", {ENOBUFS}},
    {"shutdown", {ENOTCONN}},
    {"socket", {EMFILE, ENFILE, ENOMEM, ENOBUFS}},
    {"syscall(renameat2)", {EEXIST, EACCES, ENOSPC}},
    {"unlinkat", {EIO, EBUSY, EROFS}},
    {"write(bell)", {EINTR}},
    {"write(eventfd)", {EINTR}},
    {"write(file)", {ENOSPC, EIO, EINTR, EDQUOT}},
};

/// Names in the lane directory, and whom they let in.
inline bool is_about_names(std::string_view call) {
  static constexpr std::string_view all[] = {
      "access", "bind",    "chmod",        "fchmod", "fchown",   "fchownat",    "fgetxattr", "flock",
      "fstat",  "fstatat", "linkat",       "listen", "lstat",    "mkdir",       "mkdirat",   "mkdtemp",
      "openat", "readdir", "open(folder)", "pwrite", "renameat", "write(file)", "unlinkat",  "syscall(renameat2)"};
  return std::ranges::find(all, call) != std::end(all);
}

}  // namespace memlane::nth_call
