// memlane.Sample: a core sample and the count of the arrays that look into it.
#pragma once

#include <cstdint>
#include <string>

#include "exported_array.hpp"
#include "memlane/sample.hpp"
#include "python.hpp"

namespace memlane::python {

/// All of it under the GIL. The memory goes back when the sample is over (released, left, or without a reference) and
/// nothing looks into it any more.
class SampleObject {
 public:
  explicit SampleObject(Sample sample) : sample_(std::move(sample)), array_(sample_.dtype(), sample_.shape()) {}

  /// The core's sample. Throws Error(released | forked).
  [[nodiscard]] const Sample& sample() const;
  [[nodiscard]] const ExportedArray& array() const noexcept { return array_; }
  [[nodiscard]] bool over() const noexcept { return over_; }

  /// Gives the memory back now. Throws BufferError while arrays look into it.
  void release();
  /// The end of a `with` block: the memory goes back now, or with the last array.
  void leave() noexcept;

  [[nodiscard]] bool get_buffer(Py_buffer& view, int flags, py::handle self);
  [[nodiscard]] py::object dlpack(const DlpackRequest& request, py::object self);
  void view_gone() noexcept;

  [[nodiscard]] std::string repr() const;

 private:
  Sample sample_;
  ExportedArray array_;
  std::uint64_t views_ = 0;
  bool over_ = false;
};

void define_sample(py::module_& module);

}  // namespace memlane::python
