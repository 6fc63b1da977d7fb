// A process that says anything to the door of this one: any message, with any handles, in any order, and with halves of
// links that change meanwhile. Between an honest sender and an honest receiver, of any pattern, nothing may change.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>

#include "hostile_half.hpp"
#include "input.hpp"
#include "insist.hpp"
#include "memlane/memlane.hpp"
#include "patterns.hpp"

namespace memlane::fuzz {
namespace {

using namespace std::chrono_literals;
using detail::MessageType;
using detail::PortKind;
using detail::platform::Handle;

constexpr auto patience = 50s;  // a machine may be busy; nothing here waits on purpose
constexpr std::uint64_t nobody = 999'999;

Handle memfd(unsigned flags, off_t bytes, int seals) {
  Handle memory(::memfd_create("hostile", MFD_CLOEXEC | flags));
  if (memory && bytes != 0) static_cast<void>(::ftruncate(memory.get(), bytes));
  if (memory && seals != 0) ::fcntl(memory.get(), F_ADD_SEALS, seals);
  return memory;
}

/// What a liar hands over in place of what it should.
struct Handles {
  HostileHalf sender_half{detail::make_sender_half(depth)};
  HostileHalf receiver_half{detail::make_receiver_half(depth)};
  detail::platform::OwnedMemory segment = detail::platform::create_memory("hostile", 4096);
  detail::platform::Bell bell;
  std::vector<Handle> others;

  static constexpr std::uint32_t depth = 4;

  Handles() {
    constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
    others.push_back(memfd(MFD_ALLOW_SEALING, 4096, 0));
    others.push_back(memfd(MFD_ALLOW_SEALING, 4096, seals));  // sparse
    others.push_back(memfd(MFD_ALLOW_SEALING, 0, seals));
    others.push_back(memfd(MFD_ALLOW_SEALING | MFD_HUGETLB, 0, 0));
    others.emplace_back(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    others.emplace_back(::open("/dev/null", O_RDWR | O_CLOEXEC));
    others.emplace_back(::open("/dev/null", O_PATH | O_CLOEXEC));
    others.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    std::erase_if(others, [](const Handle& handle) { return !handle; });
  }

  int any(Input& input) {
    switch (const std::size_t what = input.choice(12)) {
      case 0: return sender_half.handle().get();
      case 1: return receiver_half.handle().get();
      case 2: return segment.handle.get();
      case 3: return bell.write_handle();
      case 4: return bell.waitable();
      default: return others[what % others.size()].get();
    }
  }
};

/// A process with two honest ports of a pattern, and those who lie to it.
template <class Pattern>
class World {
 public:
  World() {
    path_ = "/tmp/ml-fuzz-XXXXXX";
    insist(::mkdtemp(path_.data()) != nullptr, "a folder can be made");
    sender_.emplace(Pattern::open_sender(path_));
    receiver_.emplace(Pattern::open_receiver(path_));
    const detail::Directory directory(path_);
    for (const std::string& name : detail::platform::list_folder(directory.handle())) {
      if (name.starts_with("door-")) door_ = detail::EndpointId::parse(name.substr(5)).value();
    }
  }

  void end() {
    receiver_.reset();
    sender_.reset();
    std::filesystem::remove_all(path_);
  }

  void meet(Input& input) {
    std::array<Handle, 2> lines;  // two connections of one liar
    for (int i = 0; i < 40 && !input.empty(); ++i) {
      const std::size_t what = input.choice(16);
      Handle& line = lines[what == 15 ? 1 : 0];
      if (!line) {
        line = connect();
        if (what != 0) say(line, hello(input), {});
      }
      switch (what) {
        case 1: work(input); break;
        case 2: handles_.sender_half.lie_anywhere(input); break;
        case 3: handles_.receiver_half.lie_anywhere(input); break;
        case 4: line.reset(); break;
        default: say_something(line, input); break;
      }
    }
    settle(lines);
    for (Handle& line : lines) line.reset();
    check();
    handles_.sender_half.start_again();
    handles_.receiver_half.start_again();
  }

 private:
  Handle connect() const {
    const detail::Directory directory(path_);
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      auto knocked = detail::platform::knock(directory.ref(), door_.door_name());
      if (knocked.outcome == detail::platform::Knock::answered) return std::move(knocked.connection);
      insist(std::chrono::steady_clock::now() < end, "the door is answered");
      std::this_thread::sleep_for(1ms);
    }
  }

  detail::MessageBytes hello(Input& input) const {
    detail::HelloBody body{};
    body.endpoint[0] = input.choice(4);  // not our own: it is this process, so it would be believed
    body.endpoint[1] = 7;
    body.door[0] = door_.bits[0];
    body.door[1] = input.choice(16) == 15 ? 0 : door_.bits[1];
    return detail::compose(MessageType::hello, 0, 0, body);
  }

  static void say(const Handle& line, const detail::MessageBytes& message, std::span<const int> handles) {
    // If it does not read, what is said is lost; the honest are not concerned.
    static_cast<void>(detail::platform::send_message(line, message.bytes(), handles));
  }

  detail::PortBody port_body(PortKind kind, Input& input) {
    detail::PortBody body{};
    const auto hash = detail::lane_hash("lane");
    body.lane[0] = hash[0];
    body.lane[1] = hash[1];
    body.kind = static_cast<std::uint8_t>(kind);
    body.overflow = static_cast<std::uint8_t>(input.choice(4));
    body.depth = Handles::depth;
    return body;
  }

  /// A message that is right, but for what the input changes in it.
  void say_something(const Handle& line, Input& input) {
    const std::size_t what = input.choice(12);
    const bool to_receiver = what < 6;
    std::uint64_t to = to_receiver ? receiver_number : sender_number;
    const std::uint64_t from = 1 + input.choice(4);
    std::array<std::byte, 512> body{};
    std::size_t size = 0;
    auto type = MessageType::leave;
    std::vector<int> handles;
    const auto put = [&](const auto& value) {
      std::memcpy(body.data(), &value, sizeof value);
      size = sizeof value;
    };
    switch (what) {
      case 0:
        type = MessageType::invite;
        put(port_body(Pattern::sender_kind, input));
        break;
      case 1:
      case 6: {
        type = MessageType::half;
        const HostileHalf& half = to_receiver ? handles_.sender_half : handles_.receiver_half;
        put(detail::HalfBody{port_body(to_receiver ? Pattern::sender_kind : Pattern::receiver_kind, input), half.size(),
                             0});
        handles = {half.handle().get(), handles_.bell.write_handle()};
        break;
      }
      case 2:
        type = MessageType::segment;
        put(detail::SegmentBody{static_cast<std::uint32_t>(input.choice(4)), 0, 4096});
        handles = {handles_.segment.handle.get()};
        break;
      case 3:
        type = MessageType::segment_drop;
        put(detail::SegmentBody{static_cast<std::uint32_t>(input.choice(4)), 0, 0});
        break;
      case 7:
        type = MessageType::returns;
        put(detail::ReturnsBody{input.choice(8), input.choice(8)});
        break;
      case 8: type = MessageType::closing; break;
      case 4:
      case 9: {
        type = MessageType::gone;
        detail::GoneBody gone{};
        gone.code = input.byte();
        input.fill(std::as_writable_bytes(std::span(gone.reason)).first(8));
        if (input.coin()) put(gone);
        break;
      }
      case 10: {
        type = static_cast<MessageType>(input.byte());
        size = input.byte();
        input.fill(std::span(body).first(size));
        to = input.choice(4);
        break;
      }
      default: break;
    }
    for (std::size_t changes = input.choice(4); changes > 1; --changes)
      body[input.next<std::uint16_t>() % body.size()] = std::byte{input.byte()};
    if (input.choice(8) == 7) {
      handles.clear();
      for (std::size_t count = input.choice(5); count != 0; --count) handles.push_back(handles_.any(input));
    }
    auto message = detail::compose(type, from, to, std::span<const std::byte>(body).first(size),
                                   static_cast<std::uint16_t>(handles.size()));
    if (input.choice(16) == 15) message.storage[input.choice(64)] = std::byte{input.byte()};
    if (input.choice(16) == 15) message.size = input.next<std::uint16_t>() % (detail::max_message + 1);
    say(line, message, handles);
  }

  /// What the honest program does meanwhile.
  void work(Input& input) {
    if (input.coin()) {
      const std::array<std::byte, 10> some{};
      static_cast<void>(sender_->try_send_copy(some));  // a liar's queue may be full, and it may have asked to fail
    } else {
      take();
    }
  }

  /// The next sample; complaints about the liar are passed over.
  std::optional<Sample> take() {
    for (int complaints = 0; complaints < 1000; ++complaints) {
      try {
        return receiver_->take();
      } catch (const Error& error) {
        insist(std::string_view(error.what()).find("lane") != std::string_view::npos, "an error names the lane");
      }
    }
    insist(false, "complaints come to an end");
    return std::nullopt;
  }

  /// Until everything that was said has been heard: a call to a port that is not there is answered, if not hung up on. Of two
  /// connections with one name the answer comes on the first.
  static void settle(const std::array<Handle, 2>& lines) {
    for (const Handle& line : lines) {
      if (!line) continue;
      say(line, detail::compose(MessageType::invite, nobody, nobody, std::span<const std::byte>{}), {});
      const auto end = std::chrono::steady_clock::now() + patience;
      while (!is_answered(line, line) && !is_answered(lines[0], line) && !is_answered(lines[1], line)) {
        insist(std::chrono::steady_clock::now() < end, "a message is answered, or its sender hung up on");
        pollfd look{line.get(), POLLIN, 0};
        ::poll(&look, 1, 1);
      }
    }
  }

  static bool is_answered(const Handle& on, const Handle& line) {
    std::array<std::byte, detail::max_message> buffer;
    while (on) {
      const auto arrived = detail::platform::receive_message(on, buffer);
      if (arrived.kind == detail::platform::Arrived::Kind::hang_up) return &on == &line;
      if (arrived.kind != detail::platform::Arrived::Kind::message) return false;
      detail::MessageHeader header{};
      std::memcpy(&header, buffer.data(), sizeof header);
      if (header.to_port == nobody) return true;
    }
    return false;
  }

  void check() {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (sender_->stats().peers != 1 || receiver_->stats().peers != 1) {
      insist(std::chrono::steady_clock::now() < end, "the liar's links end with it, and only they");
      std::this_thread::yield();
    }
    while (take()) {
    }
    const std::array<std::byte, 3> payload{std::byte{1}, std::byte{2}, std::byte{3}};
    insist(sender_->send_copy(payload) == 1, "the honest receiver is still there");
    std::optional<Sample> sample;
    while (!(sample = take())) insist(std::chrono::steady_clock::now() < end, "the honest sample arrives");
    insist(std::ranges::equal(sample->bytes(), payload), "it is as it was sent");
    sample.reset();
    insist(sender_->stats().waiting == 0, "nothing is out");
    if (++meetings_ % 1000 != 0) return;
    if (descriptors_ == 0) descriptors_ = open_descriptors();
    // Those of connections that the liar has just left may not be closed yet.
    while (open_descriptors() > descriptors_ + 20) {
      insist(std::chrono::steady_clock::now() < end, "descriptors do not pile up");
      std::this_thread::sleep_for(1ms);
    }
  }

  static std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  }

  static constexpr std::uint64_t sender_number = 1;
  static constexpr std::uint64_t receiver_number = 2;

  std::string path_;
  std::optional<typename Pattern::Sender> sender_;
  std::optional<typename Pattern::Receiver> receiver_;
  detail::EndpointId door_;
  Handles handles_;
  std::uint64_t meetings_ = 0;
  std::ptrdiff_t descriptors_ = 0;
};

template <class Pattern>
World<Pattern>& world() {
  static World<Pattern>* const only = [] {
    auto* made = new World<Pattern>;
    std::atexit([] { world<Pattern>().end(); });
    return made;
  }();
  return *only;
}

/// An input is for one of the patterns. While there is one only, no byte of it says which.
template <class... Pattern>
void meet_one_of(std::type_identity<std::tuple<Pattern...>>, Input& input) {
  const std::size_t chosen = sizeof...(Pattern) == 1 ? 0 : input.choice(sizeof...(Pattern));
  std::size_t number = 0;
  ((number++ == chosen ? world<Pattern>().meet(input) : void()), ...);
}

}  // namespace
}  // namespace memlane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  memlane::fuzz::Input input(data, size);
  memlane::fuzz::meet_one_of(std::type_identity<memlane::fuzz::Patterns>{}, input);
  return 0;
}
