// A subscriber that tries to change what it was given, by every way that the kernel has: its mappings, and the handles that
// came with them. Prints a line for each way and each piece of memory, then waits for a line, then writes to the sample as a
// broken program does, which must kill it.
//
//   attacker LANE DIRECTORY GROUP UID GID      (GROUP: - for none; UID 0: stays who it is)
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <iostream>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include <memlane/memlane.hpp>

namespace {

std::mutex handles_mutex;
std::vector<int> received;  // a copy of every handle that ever came in

void keep_copies(msghdr* message) {
  const std::lock_guard lock(handles_mutex);
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int handle = -1;
      std::memcpy(&handle, CMSG_DATA(part) + at, sizeof handle);
      received.push_back(::fcntl(handle, F_DUPFD_CLOEXEC, 0));
    }
  }
}

}  // namespace

// In place of the C library's: whoever holds a handle may do with it what the library does not.
extern "C" ssize_t recvmsg(int socket, msghdr* message, int flags) {
  using Function = ssize_t (*)(int, msghdr*, int);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "recvmsg"));
  const ssize_t bytes = real(socket, message, flags);
  if (bytes >= 0) keep_copies(message);
  return bytes;
}

namespace {

constexpr off_t target =
    32;  // of the byte that is written to: in a half a reserved one, in a segment one of the payload
constexpr std::byte mark{0xEE};

std::size_t page() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// A mapping of the memory's first page, gone with the object.
class View {
 public:
  View(int handle, int protection, int flags)
      : address_(::mmap(nullptr, page(), protection, flags, handle, 0)), error_(errno) {}
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() {
    if (mapped()) ::munmap(address_, page());
  }
  [[nodiscard]] bool mapped() const noexcept { return address_ != MAP_FAILED; }
  [[nodiscard]] int error() const noexcept { return error_; }
  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(address_); }

 private:
  void* address_;
  int error_;
};

/// The result of a call: 0, or its errno.
int outcome(long result) {
  return result < 0 ? errno : 0;
}

int write_to(View& view) {
  if (!view.mapped()) return view.error();
  view.data()[target] = mark;
  return 0;
}

int make_writable(int handle) {
  View view(handle, PROT_READ, MAP_SHARED);
  if (!view.mapped()) return view.error();
  if (::mprotect(view.data(), page(), PROT_READ | PROT_WRITE) != 0) return errno;
  return write_to(view);
}

int move_and_make_writable(int handle) {
  View view(handle, PROT_READ, MAP_SHARED);
  if (!view.mapped()) return view.error();
  void* const copy = ::mremap(view.data(), 0, page(), MREMAP_MAYMOVE);  // a second mapping of the same pages
  if (copy == MAP_FAILED) return errno;
  const int error = outcome(::mprotect(copy, page(), PROT_READ | PROT_WRITE));
  if (error == 0) static_cast<std::byte*>(copy)[target] = mark;
  ::munmap(copy, page());
  return error;
}

int opened_anew(int handle, const std::function<int(int)>& attack) {
  const int again = ::open(("/proc/self/fd/" + std::to_string(handle)).c_str(), O_RDWR | O_CLOEXEC);
  if (again < 0) return errno;
  const int error = attack(again);
  ::close(again);
  return error;
}

/// The kernel writes there for a debugger even where the page is read-only.
int as_a_debugger(int handle) {
  View view(handle, PROT_READ, MAP_SHARED);
  if (!view.mapped()) return view.error();
  const int memory = ::open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  if (memory < 0) return errno;
  const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(view.data())) + target;
  const int error = outcome(::pwrite(memory, &mark, 1, at));
  ::close(memory);
  return error;
}

int through_a_pipe(int handle) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
  off_t at = target;
  int error = outcome(::write(ends[1], &mark, 1));
  if (error == 0) error = outcome(::splice(ends[0], nullptr, handle, &at, 1, 0));
  ::close(ends[0]);
  ::close(ends[1]);
  return error;
}

int by_the_kernels_copy(int handle) {
  const int source = ::memfd_create("source", MFD_CLOEXEC);
  if (source < 0) return errno;
  off_t from = 0;
  off_t to = target;
  int error = outcome(::pwrite(source, &mark, 1, 0));
  if (error == 0) error = outcome(::copy_file_range(source, &from, handle, &to, 1, 0));
  ::close(source);
  return error;
}

int discard(int handle) {
  View view(handle, PROT_READ, MAP_SHARED);
  return view.mapped() ? outcome(::madvise(view.data(), page(), MADV_REMOVE)) : view.error();
}

struct Attack {
  const char* name;
  std::function<int(int)> run;
};

int write_shared(int handle) {
  View view(handle, PROT_READ | PROT_WRITE, MAP_SHARED);
  return write_to(view);
}

const std::vector<Attack> attacks{
    {"mmap-writable", write_shared},
    {"mprotect", make_writable},
    {"mremap-mprotect", move_and_make_writable},
    {"reopen-mmap", [](int handle) { return opened_anew(handle, write_shared); }},
    {"reopen-pwrite",
     [](int handle) { return opened_anew(handle, [](int h) { return outcome(::pwrite(h, &mark, 1, target)); }); }},
    {"reopen-truncate",
     [](int handle) {
       const std::string path = "/proc/self/fd/" + std::to_string(handle);
       const int again = ::open(path.c_str(), O_RDWR | O_TRUNC | O_CLOEXEC);
       if (again < 0) return errno;
       ::close(again);
       return 0;
     }},
    {"write", [](int handle) { return outcome(::write(handle, &mark, 1)); }},
    {"pwrite", [](int handle) { return outcome(::pwrite(handle, &mark, 1, target)); }},
    {"pwritev2",
     [](int handle) {
       std::byte byte = mark;
       const iovec part{&byte, 1};
       return outcome(::pwritev2(handle, &part, 1, target, 0));
     }},
    {"shrink", [](int handle) { return outcome(::ftruncate(handle, 0)); }},
    {"grow",
     [](int handle) {
       struct stat status{};
       ::fstat(handle, &status);
       return outcome(::ftruncate(handle, status.st_size + static_cast<off_t>(page())));
     }},
    {"punch-hole",
     [](int handle) {
       return outcome(::fallocate(handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(page())));
     }},
    {"zero-range",
     [](int handle) { return outcome(::fallocate(handle, FALLOC_FL_ZERO_RANGE, 0, static_cast<off_t>(page()))); }},
    {"madvise-remove", discard},
    {"unseal", [](int handle) { return outcome(::fcntl(handle, F_ADD_SEALS, F_SEAL_WRITE)); }},
    {"proc-mem", as_a_debugger},
    {"splice", through_a_pipe},
    {"copy-file-range", by_the_kernels_copy},
};

/// What must be as before.
struct Look {
  off_t size = 0;
  blkcnt_t blocks = 0;
  std::byte byte{};
  int seals = 0;
  friend bool operator==(const Look&, const Look&) = default;
};

Look look_at(int handle) {
  struct stat status{};
  ::fstat(handle, &status);
  Look look{status.st_size, status.st_blocks, {}, ::fcntl(handle, F_GET_SEALS)};
  if (::pread(handle, &look.byte, 1, target) != 1) look.size = -1;
  return look;
}

std::string described(int error) {
  return error == 0 ? "allowed" : std::generic_category().message(error);
}

/// A line for each attack: PIECE ATTACK unchanged|CHANGED (what the kernel said).
void attack_all(int handle, const std::string& piece) {
  for (const Attack& attack : attacks) {
    const Look before = look_at(handle);
    const int error = attack.run(handle);
    const bool same = look_at(handle) == before;
    std::cout << piece << ' ' << attack.name << ' ' << (same ? "unchanged" : "CHANGED") << " (" << described(error)
              << ")" << std::endl;
  }
  // Not an attack: the one way that is open. It changes a copy.
  const Look before = look_at(handle);
  View copy(handle, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  const int error = write_to(copy);
  std::cout << piece << " mmap-private " << (look_at(handle) == before ? "unchanged" : "CHANGED") << " ("
            << described(error) << ")" << std::endl;
}

void become(uid_t user, gid_t group) {
  if (user == 0) return;
  if (::setgroups(0, nullptr) != 0 || ::setresgid(group, group, group) != 0 || ::setresuid(user, user, user) != 0)
    throw std::runtime_error("cannot become another user");
}

int attack(const std::vector<std::string>& words) {
  memlane::SubscriberOptions options;
  options.directory = words.at(1);
  if (words.at(2) != "-") options.group = words.at(2);
  become(static_cast<uid_t>(std::stoul(words.at(3))), static_cast<gid_t>(std::stoul(words.at(4))));
  memlane::Subscriber subscriber(words.at(0), options);
  const auto sample = subscriber.take(std::chrono::seconds(30));
  if (!sample) throw std::runtime_error("no sample came");
  std::vector<int> handles;
  {
    const std::lock_guard lock(handles_mutex);
    handles = received;
  }
  for (const int handle : handles) {
    if (::fcntl(handle, F_GET_SEALS) < 0) continue;  // a bell: a pipe, to be written to
    std::array<char, 64> name{};
    const std::string link = "/proc/self/fd/" + std::to_string(handle);
    if (::readlink(link.c_str(), name.data(), name.size() - 1) < 0) throw std::runtime_error("cannot read " + link);
    // "/memfd:memlane-half (deleted)"
    const std::string piece(name.data());
    attack_all(handle, piece.substr(piece.find(':') + 1, piece.find(' ') - piece.find(':') - 1));
  }
  std::cout << "done" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  *const_cast<volatile std::byte*>(sample->data()) = mark;
  std::cout << "alive" << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return attack({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cout << "error " << error.what() << std::endl;
    return 1;
  }
}
