// The C++ peer of the conformance suite: plays any role by doing the steps it is sent. The steps: ../PROTOCOL.md.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <memlane/memlane.hpp>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "elements.hpp"
#include "form.hpp"
#include "payload.hpp"
#include "soak.hpp"

namespace conformance {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

[[nodiscard]] memlane::Timeout timeout_of(const Form& step, const char* name = "timeout",
                                          memlane::Timeout otherwise = memlane::forever) {
  return step.find(name) ? memlane::Timeout(Milliseconds(step.number<double>(name))) : otherwise;
}

[[nodiscard]] memlane::LaneName lane_of(const Form& step) {
  const auto key = step.find("key");
  if (!key) return step.text("lane");
  if (key->starts_with('-')) return step.number<std::int64_t>("key");
  return step.number<std::uint64_t>("key");
}

// A count as a C++ program would pass it: a negative number becomes a huge one, and must be refused as such.
[[nodiscard]] std::uint64_t count_of(const Form& step, const char* name) {
  const std::string text = step.text(name);
  if (text.starts_with('-')) return static_cast<std::uint64_t>(step.number<std::int64_t>(name));
  return step.number<std::uint64_t>(name);
}

[[nodiscard]] memlane::Spin spin_of(const Form& step) {
  return step.find("spin") ? memlane::Spin(Milliseconds(step.number<double>("spin"))) : memlane::Spin::adaptive();
}

[[nodiscard]] memlane::Overflow overflow_of(const Form& step) {
  const auto name = step.find("overflow");
  if (!name) return memlane::Overflow::block;
  return memlane::overflow_from_string(*name).value_or(static_cast<memlane::Overflow>(99));
}

[[nodiscard]] memlane::DType dtype_of(const Form& step) {
  const auto name = step.find("dtype");
  if (!name) return memlane::DType::none;
  return memlane::dtype_from_string(*name).value_or(static_cast<memlane::DType>(99));
}

[[nodiscard]] memlane::Shape shape_of(const Form& step) {
  const auto extents = step.numbers<std::int64_t>("shape");
  return memlane::Shape(std::span(extents));
}

[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[static_cast<std::size_t>(byte) >> 4U];
    text += digits[static_cast<std::size_t>(byte) & 15U];
  }
  return text;
}

[[nodiscard]] std::vector<std::byte> from_hex(const std::string& text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

/// What was received from one publisher, where there is too much to list.
struct Run {
  std::uint64_t count = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool gapless = true;
  Crc32 crc;  // of all payloads, one after the other
};

class Peer {
 public:
  /// Does one step. An error is an answer too.
  Form execute(const Form& step) {
    progress_.reset();
    Form reply;
    const std::string name = step.text("do");
    const auto verb = verbs.find(name);
    try {
      if (verb == verbs.end()) throw std::invalid_argument("this peer knows no step `" + name + "`");
      (this->*verb->second)(step, reply);
      return reply;
    } catch (const memlane::Error& error) {
      Form failure;
      failure.add("error", memlane::to_string(error.code()))
          .add("message", error.what())
          .add("error-lane", error.lane());
      if (progress_) failure.add("sent", *progress_);
      return failure;
    } catch (const std::exception& error) {
      return Form().add("error", "unexpected").add("message", error.what());
    }
  }

  [[nodiscard]] bool leaving() const noexcept { return leaving_; }

 private:
  using Verb = void (Peer::*)(const Form&, Form&);
  static const std::map<std::string, Verb, std::less<>> verbs;

  // ---- ports ----

  void hello(const Form&, Form& reply) {
    reply.add("language", "cpp").add("version", memlane::version).add("pid", ::getpid());
  }

  void open_publisher(const Form& step, Form& reply) {
    memlane::PublisherOptions options;
    options.history = static_cast<std::uint32_t>(step.number<std::int64_t>("history", 0));
    options.memory_budget = step.number<std::uint64_t>("budget", 0);
    options.max_held = step.number<std::uint32_t>("max-held", 0);
    options.send_timeout = timeout_of(step, "send-timeout");
    options.checksum = step.text("checksum", "false") == "true";
    options.join_timeout = timeout_of(step, "join-timeout", options.join_timeout);
    options.label = step.text("label", "");
    options.directory = step.text("directory");
    options.group = step.text("group", "");
    options.spin = spin_of(step);
    const auto [place, opened] = publishers_.try_emplace(step.text("as", "main"), lane_of(step), options);
    if (!opened) throw std::invalid_argument("a publisher of that name is open");
    reply.add("name", place->second.name());
  }

  void open_subscriber(const Form& step, Form& reply) {
    const auto [place, opened] =
        subscribers_.try_emplace(step.text("as", "main"), lane_of(step), subscriber_options(step));
    if (!opened) throw std::invalid_argument("a subscriber of that name is open");
    reply.add("name", place->second.name());
  }

  static memlane::SubscriberOptions subscriber_options(const Form& step) {
    memlane::SubscriberOptions options;
    if (step.find("depth")) options.depth = static_cast<std::uint32_t>(step.number<std::int64_t>("depth"));
    options.overflow = overflow_of(step);
    options.join_timeout = timeout_of(step, "join-timeout", options.join_timeout);
    options.label = step.text("label", "");
    options.directory = step.text("directory");
    options.group = step.text("group", "");
    options.spin = spin_of(step);
    options.writable_view = step.text("writable", "false") == "true";
    return options;
  }

  void close(const Form& step, Form&) { any_port(step).close(); }

  void wait_for_subscribers(const Form& step, Form& reply) {
    timed(reply,
          [&] { return publisher(step).wait_for_subscribers(step.number<std::size_t>("n", 1), timeout_of(step)); });
  }

  void wait_for_publishers(const Form& step, Form& reply) {
    timed(reply,
          [&] { return subscriber(step).wait_for_publishers(step.number<std::size_t>("n", 1), timeout_of(step)); });
  }

  void flush(const Form& step, Form& reply) {
    timed(reply, [&] { return publisher(step).flush(timeout_of(step)); });
  }

  void stats(const Form& step, Form& reply) {
    const std::string name = step.text("port", "main");
    if (const auto place = publishers_.find(name); place != publishers_.end()) {
      const auto stats = place->second.stats();
      reply.add("sent", stats.sent).add("sent-bytes", stats.sent_bytes).add("dropped", stats.dropped);
      reply.add("waiting", stats.waiting).add("bytes", stats.bytes).add("peers", stats.peers);
      reply.add("broken", stats.broken);
    } else {
      const auto of = subscriber(step).stats();
      reply.add("received", of.received).add("received-bytes", of.bytes).add("dropped", of.dropped);
      reply.add("waiting", of.waiting).add("held", of.held).add("peers", of.peers).add("broken", of.broken);
    }
  }

  /// Until every statistic that the step names has the value it gives, or the time is over; answers what they are then.
  void await_stats(const Form& step, Form& reply) {
    const auto deadline = Clock::now() + Milliseconds(step.number<double>("timeout"));
    for (;;) {
      Form now;
      stats(step, now);
      const bool reached = std::ranges::all_of(
          statistics, [&](const char* name) { return !step.find(name) || step.find(name) == now.find(name); });
      if (reached || Clock::now() > deadline) {
        reply = now;
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  static constexpr std::array statistics{"sent", "received", "dropped", "waiting", "held", "bytes", "peers"};

  // ---- sending ----

  void reserve(const Form& step, Form&) {
    publisher(step).reserve(count_of(step, "bytes"), step.number("count", std::size_t{1}));
  }

  void send(const Form& step, Form& reply) {
    auto& port = publisher(step);
    const auto sizes = step.numbers<std::uint64_t>("bytes");
    const auto count = step.number<std::uint64_t>("count", std::max<std::uint64_t>(1, sizes.size()));
    const auto seed = step.number<std::uint64_t>("seed", 0);
    progress_ = 0;
    std::optional<std::size_t> reached = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      reached = send_one(port, step, sizes.empty() ? 0 : sizes[i % sizes.size()], seed + i);
      if (!reached) break;
      progress_ = i + 1;
    }
    if (const auto how = step.find("then-exit")) leave(*how);
    reply.add("sent", *progress_).add("reached", reached ? std::to_string(*reached) : "none");
  }

  /// How many the sample went to; nothing if there was no room, and it did not wait.
  static std::optional<std::size_t> send_one(memlane::Publisher& port, const Form& step, std::uint64_t size,
                                             std::uint64_t seed) {
    const Windows windows{step.number<std::uint64_t>("stride", 0)};
    const auto header = from_hex(step.text("header", ""));
    const std::string encoding = step.text("encoding", "");
    const memlane::SendInfo info{encoding, header};
    const std::string how = step.text("how", "loan");
    if (step.find("dtype")) return send_elements(port, step, info, how);
    if (how == "copy") {
      std::vector<std::byte> data(size);
      windows.write(data, seed);
      return port.send_copy(data, info);
    }
    memlane::Loan loan = port.loan(size);
    windows.write(loan.bytes(), seed);
    if (how == "try") {
      auto result = port.try_send(loan, info);
      if (!result && result.error().code() == memlane::ErrorCode::queue_full) return std::nullopt;
      return result.value();
    }
    if (step.find("timeout")) return port.send_within(loan, info, timeout_of(step));
    return port.send(std::move(loan), info);
  }

  static std::size_t send_elements(memlane::Publisher& port, const Form& step, const memlane::SendInfo& info,
                                   const std::string& how) {
    const auto shape = shape_of(step);
    const auto dtype = dtype_of(step);
    return with_type(dtype, [&]<class T>() -> std::size_t {
      constexpr bool named = memlane::dtype_of<T> != memlane::DType::none;
      if constexpr (named && !std::is_same_v<T, bool>) {  // std::vector<bool> is no range of bool
        if (how == "copy") {
          std::vector<T> data(shape.element_count());
          for (std::size_t i = 0; i < data.size(); ++i) data[i] = element<T>(i);
          return port.send_copy(data, shape, info);
        }
      }
      memlane::Loan loan = port.loan(dtype, shape);
      auto* const elements = reinterpret_cast<T*>(loan.data());
      for (std::size_t i = 0; i < shape.element_count(); ++i) elements[i] = element<T>(i);
      return port.send(std::move(loan), info);
    });
  }

  void loan(const Form& step, Form&) {
    auto& port = publisher(step);
    const std::string name = step.text("loan");
    const bool typed = step.find("dtype").has_value() || step.find("shape").has_value();
    auto loan = typed ? port.loan(dtype_of(step), shape_of(step)) : port.loan(count_of(step, "bytes"));
    if (step.find("seed")) fill(loan.bytes(), step.number<std::uint64_t>("seed"));
    loans_.emplace(name, std::move(loan));
  }

  void write_loan(const Form& step, Form&) { fill(named(loans_, step.text("loan")).bytes(), 0); }

  void send_loan(const Form& step, Form& reply) {
    reply.add("sent", 1).add("reached", publisher(step).send(std::move(named(loans_, step.text("loan")))));
  }

  void give_up(const Form& step, Form&) { named(loans_, step.text("loan")).give_up(); }

  // ---- receiving ----

  void take(const Form& step, Form& reply) {
    auto& port = subscriber(step);
    const auto count = step.number<std::uint64_t>("count", std::numeric_limits<std::uint64_t>::max());
    const std::string via = step.text("via", "take");
    std::uint64_t taken = 0;
    const auto begin = Clock::now();
    if (via == "take") {
      while (taken < count) {
        auto sample = port.take(timeout_of(step));
        if (!sample) break;
        ++taken;
        receive(*sample, step, reply);
      }
    } else if (count != 0) {
      for (auto& sample : port.samples({.until_idle = via == "until-idle"})) {
        ++taken;
        receive(sample, step, reply);
        if (taken == count) break;
      }
    }
    reply.add("elapsed", Milliseconds(Clock::now() - begin).count());
    for (const auto& [sender, run] : std::exchange(runs_, {})) {
      Form line;
      line.add("sender", sender).add("count", run.count).add("first", run.first).add("last", run.last);
      reply.add("run", line.add("gapless", run.gapless).add("crc", run.crc.value()).line());
    }
  }

  void receive(memlane::Sample& sample, const Form& step, Form& reply) {
    if (step.text("report", "samples") == "runs") {
      Run& run = runs_[sample.sender().label];
      if (run.count++ == 0) run.first = run.last = sample.sequence() - 1;
      if (sample.sequence() != run.last + 1) run.gapless = false;
      if (run.count == 1) run.first = sample.sequence();
      run.last = sample.sequence();
      Windows{}.sum_up(sample.bytes(), run.crc);
    } else {
      reply.add("sample", describe(sample, step));
    }
    if (const auto name = step.find("hold")) held_[*name].push_back(std::move(sample));
  }

  static std::string describe(const memlane::Sample& sample, const Form& step) {
    const Windows windows{step.number<std::uint64_t>("stride", 0)};
    Crc32 crc;
    windows.sum_up(sample.bytes(), crc);
    const auto sender = sample.sender();
    Form line;
    line.add("sender", sender.label).add("pid", sender.pid).add("sequence", sample.sequence());
    line.add("bytes", sample.size()).add("crc", crc.value()).add("dtype", memlane::to_string(sample.dtype()));
    for (const std::uint64_t extent : sample.shape().dims()) line.add("shape", extent);
    line.add("encoding", sample.encoding()).add("header", to_hex(sample.user_header()));
    line.add("sent-time", static_cast<double>(sample.sent_time()) / 1e6);
    line.add("received-time", static_cast<double>(sample.received_time()) / 1e6);
    if (step.find("elements")) line.add("elements", check_elements(sample));
    return line.line();
  }

  /// Looks again at samples that are held: their payloads are still what they were.
  void look(const Form& step, Form& reply) {
    for (const auto& sample : named(held_, step.text("hold"))) reply.add("sample", describe(sample, step));
  }

  void release(const Form& step, Form&) {
    for (auto& sample : named(held_, step.text("hold"))) sample.release();
  }

  /// Writes where only the sender may: what C++ can do only by asking for a writable view and casting the const away.
  void scribble(const Form& step, Form&) {
    for (const auto& sample : named(held_, step.text("hold"))) {
      std::ranges::fill(std::span(const_cast<std::byte*>(sample.data()), sample.bytes().size()), std::byte{0xFF});
    }
  }

  // ---- many samples ----

  void soak_send(const Form& step, Form& reply) { Soak::send(publisher(step), step, reply); }

  void soak_take(const Form& step, Form& reply) { soak_.take(subscriber(step), step, reply); }

  void soak_release(const Form& step, Form& reply) { soak_.release(step, reply); }

  /// Closes a port, and forgets it.
  void discard(const Form& step, Form&) {
    any_port(step).close();
    publishers_.erase(step.text("port"));
    subscribers_.erase(step.text("port"));
  }

  // ---- meeting ----

  /// Joins, and in the same breath calls for a sample: whoever answers sends after this constructor has returned.
  void join_and_call(const Form& step, Form& reply) {
    memlane::Publisher& back = publisher(step);
    const auto nonce = from_hex(step.text("nonce"));
    const auto wanted = step.number<std::uint64_t>("count");
    memlane::Subscriber joined(lane_of(step), subscriber_options(step));
    back.send_copy({}, {.user_header = nonce});
    std::uint64_t answers = 0;
    while (answers < wanted) {
      const auto sample = joined.take(timeout_of(step));
      if (!sample) break;
      if (std::ranges::equal(sample->user_header(), nonce)) ++answers;
    }
    reply.add("answers", answers);
  }

  /// Answers each of `count` calls with a sample that carries the call's nonce.
  void answer(const Form& step, Form& reply) {
    memlane::Publisher& port = publisher(step);
    memlane::Subscriber& calls = named(subscribers_, step.text("calls"));
    const auto count = step.number<std::uint64_t>("count");
    std::uint64_t answered = 0;
    while (answered < count) {
      const auto call = calls.take(timeout_of(step));
      if (!call) break;
      port.send_copy({}, {.user_header = call->user_header()});
      ++answered;
    }
    reply.add("answered", answered);
  }

  // ---- the process ----

  /// Does a step in a forked child, and answers what the child would have.
  void in_child(const Form& step, Form& reply) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const pid_t child = ::fork();
    if (child == 0) {
      const std::string line = execute(Form(step.text("command"))).line();
      execute(Form("do=reset"));  // the child leaves as it should, and nothing of the parent with it
      const bool written = ::write(ends[1], line.data(), line.size()) == static_cast<ssize_t>(line.size());
      ::_exit(written ? 0 : 1);
    }
    ::close(ends[1]);
    std::string line;
    char part[4096];
    for (ssize_t n = 0; (n = ::read(ends[0], part, sizeof part)) > 0;) line.append(part, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error("the child ended with status " + std::to_string(status));
    reply = Form(line);
  }

  void exit(const Form& step, Form&) { leave(step.text("how", "return")); }

  void leave(const std::string& how) {
    if (how == "killed") ::raise(SIGKILL);
    if (how == "at-once") std::_Exit(0);
    leaving_ = true;  // returns from main, ports open
  }

  void memory_room(const Form&, Form& reply) { reply.add("bytes", memlane::detail::platform::memory_room().bytes); }

  /// Lets go of everything, and tells what is still open in the process.
  void reset(const Form&, Form& reply) {
    held_.clear();
    soak_.clear();
    loans_.clear();
    publishers_.clear();
    subscribers_.clear();
    const auto files = std::filesystem::directory_iterator("/proc/self/fd");
    reply.add("descriptors", std::distance(begin(files), end(files)) - 1);  // without the one that looks
  }

  // ---- finding ----

  template <class T>
  static T& named(std::map<std::string, T>& all, const std::string& name) {
    const auto place = all.find(name);
    if (place == all.end()) throw std::invalid_argument("there is nothing named " + name);
    return place->second;
  }

  memlane::Publisher& publisher(const Form& step) { return named(publishers_, step.text("port", "main")); }
  memlane::Subscriber& subscriber(const Form& step) { return named(subscribers_, step.text("port", "main")); }

  memlane::AnyPort& any_port(const Form& step) {
    const auto place = publishers_.find(step.text("port", "main"));
    if (place != publishers_.end()) return place->second;
    return subscriber(step);
  }

  template <class Call>
  static void timed(Form& reply, Call&& call) {
    const auto begin = Clock::now();
    const bool value = call();
    reply.add("value", value).add("elapsed", Milliseconds(Clock::now() - begin).count());
  }

  std::map<std::string, memlane::Publisher> publishers_;
  std::map<std::string, memlane::Subscriber> subscribers_;
  std::map<std::string, memlane::Loan> loans_;
  std::map<std::string, std::vector<memlane::Sample>> held_;
  std::map<std::string, Run> runs_;
  Soak soak_;
  std::optional<std::uint64_t> progress_;  // samples that a send has sent so far
  bool leaving_ = false;
};

const std::map<std::string, Peer::Verb, std::less<>> Peer::verbs{
    {"answer", &Peer::answer},
    {"await-stats", &Peer::await_stats},
    {"close", &Peer::close},
    {"discard", &Peer::discard},
    {"exit", &Peer::exit},
    {"flush", &Peer::flush},
    {"give-up", &Peer::give_up},
    {"hello", &Peer::hello},
    {"in-child", &Peer::in_child},
    {"join-and-call", &Peer::join_and_call},
    {"loan", &Peer::loan},
    {"look", &Peer::look},
    {"memory-room", &Peer::memory_room},
    {"open-publisher", &Peer::open_publisher},
    {"open-subscriber", &Peer::open_subscriber},
    {"release", &Peer::release},
    {"reserve", &Peer::reserve},
    {"reset", &Peer::reset},
    {"scribble", &Peer::scribble},
    {"send", &Peer::send},
    {"send-loan", &Peer::send_loan},
    {"soak-release", &Peer::soak_release},
    {"soak-send", &Peer::soak_send},
    {"soak-take", &Peer::soak_take},
    {"stats", &Peer::stats},
    {"take", &Peer::take},
    {"wait-for-publishers", &Peer::wait_for_publishers},
    {"wait-for-subscribers", &Peer::wait_for_subscribers},
    {"write-loan", &Peer::write_loan},
};

}  // namespace
}  // namespace conformance

int main() {
  conformance::Peer peer;
  for (std::string line; !peer.leaving() && std::getline(std::cin, line);) {
    const conformance::Form step(line);
    conformance::Form reply = peer.execute(step);
    if (peer.leaving()) break;
    std::cout << reply.add("id", step.text("id", "")).line() << std::endl;
  }
}
