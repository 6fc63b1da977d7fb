#include "memlane/subscriber.hpp"

#include <chrono>
#include <limits>
#include <memory>
#include <optional>

#include "arguments.hpp"
#include "gil.hpp"
#include "ports.hpp"
#include "sample_object.hpp"
#include "text.hpp"

namespace memlane::python {

namespace {

std::unique_ptr<Subscriber> open(const py::object& name, const py::object& depth, const py::object& overflow_policy,
                                 const py::object& join_timeout, const py::object& label, const py::object& folder,
                                 const py::object& spin_time) {
  const LaneName lane = lane_name(name);
  SubscriberOptions options;
  options.depth = static_cast<std::uint32_t>(whole_number(depth, "depth", 1, detail::max_depth));
  options.overflow = overflow(overflow_policy);
  options.join_timeout = timeout(join_timeout, "join_timeout");
  options.label = text(label, "label");
  options.directory = directory(folder);
  options.spin = spin(spin_time);
  options.writable_view = true;  // not every consumer of DLPack respects read-only memory
  return without_gil([&](const detail::Interrupt&) { return std::make_unique<Subscriber>(lane, options); });
}

py::tuple stats(const Subscriber& self) {
  const SubscriberStats now = self.stats();
  return py::make_tuple(now.received, now.received_bytes, now.dropped, now.waiting, now.held, now.peers, now.broken);
}

py::object wrap(std::optional<Sample> sample) {
  if (!sample) return py::none();
  return py::cast(std::make_unique<SampleObject>(std::move(*sample)));
}

}  // namespace

void define_subscriber(py::module_& module) {
  py::class_<Subscriber>(module, "Subscriber", py::is_final())
      .def(py::init(&open))
      .def("take",
           [](Subscriber& self, const py::object& seconds, bool until_idle) {
             const Timeout patience = timeout(seconds);
             // Where a sample is there it takes a microsecond, and other threads keep their turns.
             if (auto sample = self.take()) return wrap(std::move(sample));
             if (patience.nanoseconds() == 0) return wrap(std::nullopt);
             return wrap(without_gil([&](const detail::Interrupt& interrupt) {
               return until_idle ? self.take_until_idle(patience, interrupt) : self.take(patience, interrupt);
             }));
           })
      .def("idle", &Subscriber::idle)
      .def("wait_for_publishers",
           [](Subscriber& self, const py::object& n, const py::object& seconds) {
             const std::uint64_t wanted = whole_number(n, "n", 0, std::numeric_limits<std::uint64_t>::max());
             const Timeout patience = timeout(seconds);
             return without_gil([&](const detail::Interrupt& interrupt) {
               return self.wait_for_publishers(wanted, patience, interrupt);
             });
           })
      .def("name", [](const Subscriber& self) { return to_str(self.name()); })
      .def("stats", &stats)
      .def("fileno", &Subscriber::fileno)
      .def("ready", &Subscriber::ready)
      .def("close", [](Subscriber& self) { without_gil([&](const detail::Interrupt&) { self.close(); }); })
      .def("closed", &Subscriber::closed)
      .def("stop", &Subscriber::stop);
}

}  // namespace memlane::python
