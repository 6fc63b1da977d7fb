// The C++ peer of the conformance suite: plays any role by doing the steps it is sent. The steps: ../PROTOCOL.md.
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memlane/memlane.hpp>
#include <stdexcept>
#include <string>

#include "form.hpp"
#include "leaving.hpp"
#include "meeting.hpp"
#include "ports.hpp"
#include "receiving.hpp"
#include "sending.hpp"
#include "soak.hpp"
#include "verbs.hpp"

namespace conformance {
namespace {

class Peer {
 public:
  Peer() {
    ports_.add_to(verbs_);
    sending_.add_to(verbs_);
    receiving_.add_to(verbs_);
    meeting_.add_to(verbs_);
    soak_.add_to(verbs_);
    verbs_.add<Peer>(*this, {{"hello", &Peer::hello},
                             {"in-child", &Peer::in_child},
                             {"exit", &Peer::exit},
                             {"memory-room", &Peer::memory_room},
                             {"reset", &Peer::reset}});
  }

  /// Does one step. An error is an answer too.
  Form execute(const Form& step) {
    sending_.begin_step();
    Form reply;
    try {
      verbs_.of(step)(step, reply);
      return reply;
    } catch (const memlane::Error& error) {
      Form failure;
      failure.add("error", memlane::to_string(error.code()))
          .add("message", error.what())
          .add("error-lane", error.lane());
      if (const auto sent = sending_.progress()) failure.add("sent", *sent);
      return failure;
    } catch (const std::exception& error) {
      return Form().add("error", "unexpected").add("message", error.what());
    }
  }

  [[nodiscard]] bool is_leaving() const noexcept { return leaving_.has_begun(); }

 private:
  void hello(const Form&, Form& reply) {
    reply.add("language", "cpp").add("version", memlane::version).add("pid", ::getpid());
  }

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

  void exit(const Form& step, Form&) { leaving_.leave(step.text("how", "return")); }

  void memory_room(const Form&, Form& reply) { reply.add("bytes", memlane::detail::platform::memory_room().bytes); }

  /// Lets go of everything, and tells what is still open in the process.
  void reset(const Form&, Form& reply) {
    receiving_.clear();
    soak_.clear();
    sending_.clear();
    ports_.clear();
    const auto files = std::filesystem::directory_iterator("/proc/self/fd");
    reply.add("descriptors", std::distance(begin(files), end(files)) - 1);  // without the one that looks
  }

  Leaving leaving_;
  Ports ports_;
  Sending sending_{ports_, leaving_};
  Receiving receiving_{ports_};
  Meeting meeting_{ports_};
  Soak soak_{ports_};
  Verbs verbs_;
};

}  // namespace
}  // namespace conformance

int main() {
  conformance::Peer peer;
  for (std::string line; !peer.is_leaving() && std::getline(std::cin, line);) {
    const conformance::Form step(line);
    conformance::Form reply = peer.execute(step);
    if (peer.is_leaving()) break;
    std::cout << reply.add("id", step.text("id", "")).line() << std::endl;
  }
}
