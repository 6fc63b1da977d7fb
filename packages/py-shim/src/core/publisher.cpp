#include "memlane/publisher.hpp"

#include <pybind11/stl.h>

#include <limits>
#include <memory>

#include "arguments.hpp"
#include "gil.hpp"
#include "loan_object.hpp"
#include "ports.hpp"
#include "sending.hpp"
#include "text.hpp"

namespace memlane::python {

namespace {

constexpr auto any_u64 = std::numeric_limits<std::uint64_t>::max();

std::unique_ptr<Publisher> open(const py::object& name, const py::object& history, const py::object& memory_budget,
                                const py::object& send_timeout, const py::object& join_timeout, const py::object& label,
                                const py::object& folder, const py::object& spin_time) {
  const LaneName lane = lane_name(name);
  PublisherOptions options;
  options.history = static_cast<std::uint32_t>(whole_number(history, "history", 0, detail::max_history));
  options.memory_budget = memory_budget.is_none() ? 0 : whole_number(memory_budget, "memory_budget", 1, any_u64);
  options.send_timeout = timeout(send_timeout, "send_timeout");
  options.join_timeout = timeout(join_timeout, "join_timeout");
  options.label = text(label, "label");
  options.directory = directory(folder);
  options.spin = spin(spin_time);
  return without_gil([&](const detail::Interrupt&) { return std::make_unique<Publisher>(lane, options); });
}

py::tuple stats(const Publisher& self) {
  const PublisherStats now = self.stats();
  return py::make_tuple(now.sent, now.sent_bytes, now.dropped, now.waiting, now.bytes, now.peers, now.broken);
}

std::unique_ptr<LoanObject> lend(const py::object& self, const py::object& extents, const py::object& element) {
  auto& publisher = py::cast<Publisher&>(self);
  const Shape wanted = shape(extents);
  const DType type = dtype(element);
  Loan loan = without_gil([&](const detail::Interrupt&) { return publisher.loan(type, wanted); });
  return std::make_unique<LoanObject>(self, std::move(loan));
}

}  // namespace

void define_publisher(py::module_& module) {
  py::class_<Publisher>(module, "Publisher", py::is_final())
      .def(py::init(&open))
      .def("loan", &lend)
      .def("loan_copy",
           [](const py::object& self, const py::object& object) {
             return std::make_unique<LoanObject>(self, lend_copy(py::cast<Publisher&>(self), object));
           })
      .def("send", &send_object)
      .def("try_send", &try_send_object)
      .def("reserve",
           [](Publisher& self, const py::object& nbytes, const py::object& count) {
             const std::uint64_t bytes = whole_number(nbytes, "nbytes", 0, any_u64);
             const std::uint64_t loans = whole_number(count, "count", 0, any_u64);
             without_gil([&](const detail::Interrupt&) { self.reserve(bytes, loans); });
           })
      .def("wait_for_subscribers",
           [](Publisher& self, const py::object& n, const py::object& seconds) {
             const std::uint64_t wanted = whole_number(n, "n", 0, any_u64);
             const Timeout patience = timeout(seconds);
             return without_gil([&](const detail::Interrupt& interrupt) {
               return self.wait_for_subscribers(wanted, patience, interrupt);
             });
           })
      .def("flush",
           [](Publisher& self, const py::object& seconds) {
             const Timeout patience = timeout(seconds);
             return without_gil([&](const detail::Interrupt& interrupt) { return self.flush(patience, interrupt); });
           })
      .def("name", [](const Publisher& self) { return to_str(self.name()); })
      .def("stats", &stats)
      .def("fileno", &Publisher::fileno)
      .def("ready", &Publisher::ready)
      .def("close", [](Publisher& self) { without_gil([&](const detail::Interrupt&) { self.close(); }); })
      .def("closed", &Publisher::closed)
      .def("stop", &Publisher::stop);
}

}  // namespace memlane::python
