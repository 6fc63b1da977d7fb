// memlane.Loan: a core loan, the publisher it came from, and the count of the arrays that look into it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exported_array.hpp"
#include "memlane/loan.hpp"
#include "memlane/publisher.hpp"
#include "python.hpp"

namespace memlane::python {

/// All of it under the GIL. Arrays may outlive the loan (`image = np.asarray(frame)` at the end of its `with` block is
/// one): they stay valid, and as long as they live, their memory is not lent again.
class LoanObject {
 public:
  LoanObject(py::object publisher, Loan loan)
      : publisher_(std::move(publisher)), loan_(std::move(loan)), array_(loan_.dtype(), loan_.shape()) {}

  /// Throws Error(already_sent | released | forked) unless the loan can be used.
  void check() const { static_cast<void>(loan_.data()); }
  [[nodiscard]] const Loan& loan() const noexcept { return loan_; }
  [[nodiscard]] const ExportedArray& array() const noexcept { return array_; }
  [[nodiscard]] Publisher& publisher() const { return py::cast<Publisher&>(publisher_); }

  /// Gives the loan away by `send(loan)`, which says whether it was sent.
  template <class Send>
  auto send(Send&& send_loan) {
    check();
    keep_memory_of_views();
    auto result = send_loan(loan_);
    drop_memory_without_views();
    return result;
  }
  void give_up();
  /// Copies an array into the loan. Throws Error(invalid_argument) if it is not as large, or not contiguous.
  void write(py::handle object);

  [[nodiscard]] bool get_buffer(Py_buffer& view, int flags, py::handle self);
  [[nodiscard]] py::object dlpack(const DlpackRequest& request, py::object self);
  void view_gone() noexcept;

  [[nodiscard]] std::string repr() const;

 private:
  void keep_memory_of_views() {
    if (views_ != 0 && !memory_) memory_.emplace(loan_.keep_memory());
  }
  void drop_memory_without_views() noexcept {
    if (views_ == 0) memory_.reset();
  }

  py::object publisher_;
  Loan loan_;
  ExportedArray array_;
  std::optional<LoanMemory> memory_;  // once the loan is gone and views are not
  std::uint64_t views_ = 0;
};

void define_loan(py::module_& module);

}  // namespace memlane::python
