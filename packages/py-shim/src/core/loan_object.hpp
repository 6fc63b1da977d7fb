// memlane.Loan: a core loan, the publisher it came from, and the count of the arrays that look into it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "exported_array.hpp"
#include "memlane/loan.hpp"
#include "ports.hpp"
#include "python.hpp"

namespace memlane::python {

/// All of it under the GIL. Arrays may outlive the loan (`image = np.asarray(frame)` at the end of its `with` block is
/// one): they stay valid, and as long as they live, their memory is not lent again.
class LoanObject {
 public:
  LoanObject(py::object publisher, Loan loan)
      : publisher_(std::move(publisher)), loan_(std::move(loan)), array_(loan_.dtype(), loan_.shape()) {}

  /// Throws Error(already_sent | released | forked) unless the loan can be used, and Error(invalid_argument) while another
  /// thread is at work with it.
  void check() const;
  void check_nobody_is_at_work() const;
  [[nodiscard]] const Loan& loan() const noexcept { return loan_; }
  [[nodiscard]] const ExportedArray& array() const noexcept { return array_; }
  /// Throws Error(closed).
  [[nodiscard]] std::shared_ptr<Publisher> publisher() const { return py::cast<PublisherObject&>(publisher_).port(); }
  [[nodiscard]] const std::string& lane() const { return py::cast<PublisherObject&>(publisher_).name(); }

  /// Gives the loan away by `give(loan)`, which may put the GIL down.
  template <class Give>
  auto send(Give&& give) {
    check();
    if (views_ != 0) memory_.emplace(loan_.keep_memory());
    const Busy busy(*this);
    return give(loan_);
  }
  void give_up();
  /// Copies an array into the loan. Throws Error(invalid_argument) if it is not as large, or not contiguous.
  void write(py::handle object);

  [[nodiscard]] bool get_buffer(Py_buffer& view, int flags, py::handle self);
  [[nodiscard]] py::object dlpack(const DlpackRequest& request, py::object self);
  void view_gone() noexcept;

  [[nodiscard]] std::string repr() const;

 private:
  /// Work for which the GIL may be put down: other threads must keep away.
  class Busy {
   public:
    explicit Busy(LoanObject& loan) noexcept : loan_(loan) { loan_.busy_ = true; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy() {
      loan_.busy_ = false;
      // The memory of a loan that is still ours is kept by the loan itself.
      if (loan_.views_ == 0 || loan_.loan_) loan_.memory_.reset();
    }

   private:
    LoanObject& loan_;
  };

  py::object publisher_;
  Loan loan_;
  ExportedArray array_;
  std::optional<LoanMemory> memory_;  // where the loan is gone and views are not
  std::uint64_t views_ = 0;
  bool busy_ = false;
};

void define_loan(py::module_& module);

}  // namespace memlane::python
