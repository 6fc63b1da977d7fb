#include "memlane/subscriber.hpp"

#include <chrono>
#include <memory>
#include <optional>

#include "arguments.hpp"
#include "gil.hpp"
#include "ports.hpp"
#include "sample_object.hpp"

namespace memlane::python {

namespace {

std::unique_ptr<SubscriberObject> open(py::handle name, py::handle depth, py::handle overflow_policy,
                                       py::handle join_timeout, py::handle label, py::handle folder, py::handle let_in,
                                       py::handle spin_time) {
  const LaneName lane = lane_name(name);
  SubscriberOptions options;
  options.depth = static_cast<std::uint32_t>(whole_number(depth, "depth", 1, detail::max_depth));
  options.overflow = overflow(overflow_policy);
  options.join_timeout = timeout(join_timeout, "join_timeout");
  options.label = text(label, "label");
  options.directory = directory(folder);
  options.group = group(let_in);
  options.spin = spin(spin_time);
  options.writable_view = true;  // not every consumer of an array respects read-only memory
  return std::make_unique<SubscriberObject>(wait_without_gil([&](const detail::Interrupt& interrupt) {
    options.interrupt = interrupt;
    return std::make_shared<Subscriber>(lane, options);
  }));
}

py::object wrap(std::optional<Sample> sample) {
  if (!sample) return py::none();
  return py::cast(std::make_unique<SampleObject>(std::move(*sample)));
}

py::object take(const SubscriberObject& self, py::handle seconds, bool until_idle) {
  const Timeout patience = timeout(seconds);
  const auto subscriber = self.port();
  // Where a sample is there it takes a microsecond, and other threads keep their turns; a checksum may take far longer.
  auto sample = subscriber->port().checks() ? without_gil([&] { return subscriber->take(); }) : subscriber->take();
  if (sample) return wrap(std::move(sample));
  if (patience.nanoseconds() == 0) return py::none();
  return wrap(wait_without_gil([&](const detail::Interrupt& interrupt) {
    return until_idle ? subscriber->take_until_idle(patience, interrupt) : subscriber->take(patience, interrupt);
  }));
}

py::tuple stats(const SubscriberObject& self) {
  const SubscriberStats now = self.port()->stats();
  return py::make_tuple(now.received, now.bytes, now.dropped, now.waiting, now.held, now.peers, now.broken);
}

}  // namespace

void define_subscriber(py::module_& module) {
  py::class_<SubscriberObject> type(module, "Subscriber", plain_class(), py::is_final());
  type.def(py::init(&open))
      .def("take", &take)
      .def("idle", [](const SubscriberObject& self) { return self.port()->idle(); })
      .def("wait_for_publishers",
           [](const SubscriberObject& self, py::handle n, py::handle seconds) {
             return wait_for_peers(self, n, seconds,
                                   [](Subscriber& port, auto&&... how) { return port.wait_for_publishers(how...); });
           })
      .def("stats", &stats);
  define_port(type);
}

}  // namespace memlane::python
