#include "loan_object.hpp"

#include <utility>

#include "buffer_slots.hpp"
#include "docstrings.hpp"
#include "payload.hpp"
#include "sending.hpp"
#include "text.hpp"

namespace memlane::python {

namespace {

py::object as_array(py::handle self, py::handle dtype, py::handle copy_wish) {
  py::cast<const LoanObject&>(self).check();  // NumPy would make an array of one object of a loan that was sent
  using namespace py::literals;
  return py::module_::import("numpy").attr("array")(py::memoryview(py::reinterpret_borrow<py::object>(self)),
                                                    "dtype"_a = dtype, "copy"_a = copy_wish);
}

}  // namespace

void LoanObject::check() const {
  check_nobody_is_at_work();
  static_cast<void>(loan_.data());
}

void LoanObject::check_nobody_is_at_work() const {
  if (busy_) throw Error(ErrorCode::invalid_argument, "another thread is at work with the loan", lane());
}

void LoanObject::give_up() {
  check_nobody_is_at_work();
  if (!loan_) return;
  if (views_ != 0) memory_.emplace(loan_.keep_memory());
  loan_.give_up();
}

void LoanObject::write(py::handle object) {
  check();
  const Payload payload(object);
  if (!payload.is_contiguous()) {
    throw Error(ErrorCode::invalid_argument,
                "the array is not contiguous (C order), and a loan is filled in one go: send() it, or assign it to "
                "np.asarray(loan)[...]",
                lane());
  }
  if (payload.byte_count() != loan_.size()) {
    throw Error(
        ErrorCode::invalid_argument,
        "the loan has " + std::to_string(loan_.size()) + " bytes, the data has " + std::to_string(payload.byte_count()),
        lane());
  }
  const Busy busy(*this);
  copy_payload(payload, loan_.data());
}

bool LoanObject::get_buffer(Py_buffer& view, int flags, py::handle self) {
  check();
  if (!array_.fill(view, flags, self, loan_.data(), false)) return false;
  ++views_;
  return true;
}

py::object LoanObject::dlpack(const DlpackRequest& request, py::object self) {
  check();
  if (request.must_copy()) return dlpack_copy(request, array_, loan_.data());
  auto capsule = dlpack_view(request, array_, loan_.data(), false, std::move(self),
                             [](py::handle owner) { object_of<LoanObject>(owner.ptr()).view_gone(); });
  ++views_;
  return capsule;
}

void LoanObject::view_gone() noexcept {
  if (--views_ == 0 && !busy_) memory_.reset();
}

std::string LoanObject::repr() const {
  const char* const state = loan_ ? "" : (loan_.was_sent() ? " sent" : " given up");
  return "<memlane.Loan shape=" + py::cast<std::string>(py::repr(to_tuple(array_.shape()))) +
         " dtype=" + std::string(to_string(array_.dtype())) + " nbytes=" + std::to_string(array_.byte_count()) + state +
         ">";
}

void define_loan(py::module_& module) {
  py::class_<LoanObject> type(module, "Loan", doc("Loan"), with_buffer<LoanObject>(), plain_class(), py::is_final());
  define_buffer_method(type);
  type.def_property_readonly(
          "shape", [](const LoanObject& self) { return to_tuple(self.array().shape()); }, doc("Loan.shape"))
      .def_property_readonly(
          "dtype", [](const LoanObject& self) { return to_str(to_string(self.array().dtype())); }, doc("Loan.dtype"))
      .def_property_readonly(
          "nbytes", [](const LoanObject& self) { return self.array().byte_count(); }, doc("Loan.nbytes"))
      .def("write", &LoanObject::write, py::arg("data"), doc("Loan.write"))
      .def(
          "send",
          [](LoanObject& self, py::handle encoding, py::handle user_header, py::handle timeout) {
            return send_loan(*self.publisher(), self, encoding, user_header, timeout);
          },
          py::kw_only(), py::arg("encoding") = py::none(), py::arg("user_header") = py::none(),
          py::arg("timeout") = py::ellipsis(), doc("Loan.send"))
      .def("give_up", &LoanObject::give_up, doc("Loan.give_up"))
      .def("__enter__",
           [](py::handle self) {
             py::cast<const LoanObject&>(self).check();
             return self;
           })
      .def("__exit__",
           [](LoanObject& self, py::handle raised, py::handle, py::handle) {
             if (!self.loan()) return;  // sent or given up inside the block
             if (!raised.is_none()) return self.give_up();
             send_loan(*self.publisher(), self, py::none(), py::none(), py::ellipsis());
           })
      .def("__len__", [](const LoanObject& self) { return self.array().byte_count(); })
      .def("__bool__", [](const LoanObject&) { return true; })
      .def("__array__", &as_array, py::arg("dtype") = py::none(), py::kw_only(), py::arg("copy") = py::none())
      .def(
          "__dlpack__",
          [](py::handle self, py::handle stream, py::handle max_version, py::handle dl_device, py::handle copy_wish) {
            return py::cast<LoanObject&>(self).dlpack({stream, max_version, dl_device, copy_wish},
                                                      py::reinterpret_borrow<py::object>(self));
          },
          py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
          py::arg("dl_device") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack_device__",
           [](const LoanObject& self) {
             self.check();
             return py::make_tuple(1, 0);
           })
      .def("__repr__", &LoanObject::repr);
}

}  // namespace memlane::python
