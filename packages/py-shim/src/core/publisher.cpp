#include "memlane/publisher.hpp"

#include <pybind11/stl.h>

#include <limits>
#include <memory>

#include "arguments.hpp"
#include "gil.hpp"
#include "loan_object.hpp"
#include "ports.hpp"
#include "sending.hpp"

namespace memlane::python {

namespace {

constexpr auto any_u64 = std::numeric_limits<std::uint64_t>::max();
constexpr auto any_u32 = std::numeric_limits<std::uint32_t>::max();

std::unique_ptr<PublisherObject> open(py::handle name, py::handle history, py::handle memory_budget,
                                      py::handle max_held, py::handle send_timeout, py::handle checksum,
                                      py::handle join_timeout, py::handle label, py::handle folder, py::handle let_in,
                                      py::handle spin_time) {
  const LaneName lane = lane_name(name);
  PublisherOptions options;
  options.history = static_cast<std::uint32_t>(whole_number(history, "history", 0, detail::max_history));
  options.memory_budget = memory_budget.is_none() ? 0 : whole_number(memory_budget, "memory_budget", 1, any_u64);
  options.max_held =
      max_held.is_none() ? 0 : static_cast<std::uint32_t>(whole_number(max_held, "max_held", 1, any_u32));
  options.send_timeout = timeout(send_timeout, "send_timeout");
  options.checksum = truth(checksum, "checksum");
  options.join_timeout = timeout(join_timeout, "join_timeout");
  options.label = text(label, "label");
  options.directory = directory(folder);
  options.group = group(let_in);
  options.spin = spin(spin_time);
  return std::make_unique<PublisherObject>(wait_without_gil([&](const detail::Interrupt& interrupt) {
    options.interrupt = interrupt;
    return std::make_shared<Publisher>(lane, options);
  }));
}

py::tuple stats(const PublisherObject& self) {
  const PublisherStats now = self.port()->stats();
  return py::make_tuple(now.sent, now.sent_bytes, now.dropped, now.waiting, now.bytes, now.peers, now.broken);
}

std::unique_ptr<LoanObject> loan(py::handle self, py::handle extents, py::handle element) {
  const auto publisher = py::cast<PublisherObject&>(self).port();
  const Shape wanted = shape(extents);
  const DType type = dtype(element);
  Loan made = without_gil([&] { return publisher->loan(type, wanted); });
  return std::make_unique<LoanObject>(py::reinterpret_borrow<py::object>(self), std::move(made));
}

void reserve(const PublisherObject& self, py::handle nbytes, py::handle count) {
  const std::uint64_t bytes = whole_number(nbytes, "nbytes", 0, any_u64);
  const std::uint64_t loans = whole_number(count, "count", 0, any_u64);
  const auto publisher = self.port();
  without_gil([&] { publisher->reserve(bytes, loans); });
}

bool flush(const PublisherObject& self, py::handle seconds) {
  const Timeout patience = timeout(seconds);
  const auto publisher = self.port();
  return wait_without_gil([&](const detail::Interrupt& interrupt) { return publisher->flush(patience, interrupt); });
}

}  // namespace

void define_publisher(py::module_& module) {
  py::class_<PublisherObject> type(module, "Publisher", plain_class(), py::is_final());
  type.def(py::init(&open))
      .def("loan", &loan)
      .def("loan_copy",
           [](py::handle self, py::handle object) {
             return std::make_unique<LoanObject>(py::reinterpret_borrow<py::object>(self),
                                                 lend_copy(*py::cast<PublisherObject&>(self).port(), object));
           })
      .def("send", &send_object)
      .def("try_send", &try_send_object)
      .def("reserve", &reserve)
      .def("wait_for_subscribers",
           [](const PublisherObject& self, py::handle n, py::handle seconds) {
             return wait_for_peers(self, n, seconds,
                                   [](Publisher& port, auto&&... how) { return port.wait_for_subscribers(how...); });
           })
      .def("flush", &flush)
      .def("stats", &stats);
  define_port(type);
}

}  // namespace memlane::python
