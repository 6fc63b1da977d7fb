#include "memlane/wait.hpp"

#include <pybind11/stl.h>

#include <functional>
#include <vector>

#include "arguments.hpp"
#include "gil.hpp"
#include "memlane/publisher.hpp"
#include "memlane/subscriber.hpp"
#include "ports.hpp"

namespace memlane::python {

void define_wait(py::module_& module) {
  module.def("wait", [](const py::list& ports, const py::object& seconds) {
    std::vector<std::reference_wrapper<AnyPort>> looked_at;
    for (const py::handle port : ports) {
      if (py::isinstance<Publisher>(port)) {
        looked_at.emplace_back(py::cast<Publisher&>(port));
      } else {
        looked_at.emplace_back(py::cast<Subscriber&>(port));
      }
    }
    const Timeout patience = timeout(seconds);
    return without_gil([&](const detail::Interrupt& interrupt) { return wait(looked_at, patience, interrupt); });
  });
}

}  // namespace memlane::python
