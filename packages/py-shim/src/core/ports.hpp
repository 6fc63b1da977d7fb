// The compiled halves of memlane.Publisher and memlane.Subscriber, and the wait on many of them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "arguments.hpp"
#include "gil.hpp"
#include "memlane/error.hpp"
#include "memlane/publisher.hpp"
#include "memlane/subscriber.hpp"
#include "python.hpp"
#include "text.hpp"

namespace memlane::python {

/// A port of the core's that gives its descriptors back when it is closed, and not only with its last reference.
///
/// All of it under the GIL. A call that puts the GIL down keeps the port by what port() gave it.
template <class Port>
class PortObject {
 public:
  explicit PortObject(std::shared_ptr<Port> port) : port_(std::move(port)), name_(port_->name()) {}

  /// Throws Error(closed).
  [[nodiscard]] std::shared_ptr<Port> port() const {
    if (!port_) throw Error(ErrorCode::closed, "the port of lane \"" + name_ + "\" is closed", name_);
    return port_;
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool closed() const { return !port_ || port_->closed(); }

  void close() {
    // In the child of a fork it stays what it is, the parent's, and says so.
    if (!port_ || port_->port().was_forked()) return;
    auto port = std::exchange(port_, nullptr);
    without_gil([&] {
      port->close();
      port.reset();
    });
  }

 private:
  std::shared_ptr<Port> port_;
  std::string name_;
};

using PublisherObject = PortObject<Publisher>;
using SubscriberObject = PortObject<Subscriber>;

/// The methods that all kinds have.
template <class Port>
void define_port(py::class_<PortObject<Port>>& type) {
  using Object = PortObject<Port>;
  type.def("name", [](const Object& self) { return to_str(self.name()); })
      .def("fileno", [](const Object& self) { return self.port()->fileno(); })
      // For an event loop, which reads the bell empty whenever it rings, and closes the descriptor.
      .def("own_fileno", [](const Object& self) { return self.port()->port().own_fileno().release(); })
      .def("stop", [](const Object& self) { self.port()->stop(); })
      .def("close", &Object::close)
      .def("closed", &Object::closed);
}

/// `wait(port, n, timeout, interrupt)` without the GIL.
template <class Port, class Wait>
bool wait_for_peers(const PortObject<Port>& self, py::handle n, py::handle seconds, Wait&& wait) {
  const std::uint64_t wanted = whole_number(n, "n", 0, std::numeric_limits<std::uint64_t>::max());
  const Timeout patience = timeout(seconds);
  const auto port = self.port();
  return wait_without_gil([&](const detail::Interrupt& interrupt) { return wait(*port, wanted, patience, interrupt); });
}

void define_publisher(py::module_& module);
void define_subscriber(py::module_& module);
void define_wait(py::module_& module);

}  // namespace memlane::python
