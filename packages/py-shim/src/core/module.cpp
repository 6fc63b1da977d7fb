// memlane._core: the core as Python's types. It converts values and holds lifetimes; the plain classes that people use, and
// their documentation, stand in ../memlane.
//
// Not declared free of the GIL: the counts of views in samples and loans rely on it.
#include "errors.hpp"
#include "loan_object.hpp"
#include "memlane/version.hpp"
#include "ports.hpp"
#include "sample_object.hpp"
#include "text.hpp"

PYBIND11_MODULE(_core, module) {
  using namespace memlane::python;  // NOLINT(google-build-using-namespace)
  py::options options;
  options.disable_function_signatures();  // _core.pyi has them
  register_errors();
  module.attr("version") = to_str(memlane::version);
  py::list names;
  for (const auto& dtype : memlane::detail::dtype_table) names.append(to_str(dtype.name));
  module.attr("dtypes") = py::tuple(names);
  define_sample(module);
  define_loan(module);
  for (const char* const name : {"Sender", "Sample", "Loan"})
    module.attr(name).attr("__module__") = "memlane";  // where people find them
  define_publisher(module);
  define_subscriber(module);
  define_wait(module);
}
