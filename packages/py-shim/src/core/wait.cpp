#include "memlane/wait.hpp"

#include <pybind11/stl.h>

#include <functional>
#include <memory>
#include <vector>

#include "arguments.hpp"
#include "gil.hpp"
#include "ports.hpp"

namespace memlane::python {

namespace {

std::shared_ptr<AnyPort> any_port(py::handle port) {
  if (py::isinstance<PublisherObject>(port)) return py::cast<PublisherObject&>(port).port();
  return py::cast<SubscriberObject&>(port).port();
}

std::vector<std::size_t> wait_for_any(py::handle objects, py::handle seconds) {
  const Timeout patience = timeout(seconds);
  std::vector<std::shared_ptr<AnyPort>> kept;
  std::vector<std::reference_wrapper<AnyPort>> ports;
  for (const py::handle object : objects) {
    kept.push_back(any_port(object));
    ports.emplace_back(*kept.back());
  }
  return wait_without_gil([&](const detail::Interrupt& interrupt) { return wait(ports, patience, interrupt); });
}

}  // namespace

void define_wait(py::module_& module) {
  module.def("wait", &wait_for_any);
}

}  // namespace memlane::python
