#include "sample_object.hpp"

#include <utility>

#include "buffer_slots.hpp"
#include "docstrings.hpp"
#include "text.hpp"

namespace memlane::python {

namespace {

/// PyTorch hands out writable tensors over read-only memory: torch.from_numpy(np.asarray(sample)) warns once, and
/// torch.from_dlpack(sample) never. A program that has loaded it gets the careful treatment for every sample.
bool torch_is_loaded() {
  static PyObject* const name = PyUnicode_InternFromString("torch");
  return PyDict_GetItem(PyImport_GetModuleDict(), name) != nullptr;
}

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) * 1e-9;
}

py::bytes to_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

py::object copy(py::handle self) {
  const auto& object = py::cast<const SampleObject&>(self);
  if (object.sample().dtype() == DType::none) return py::module_::import("builtins").attr("bytes")(self);
  return py::module_::import("numpy").attr("array")(py::memoryview(py::reinterpret_borrow<py::object>(self)));
}

py::object as_array(py::handle self, py::handle dtype, py::handle copy_wish) {
  static_cast<void>(
      py::cast<const SampleObject&>(self).sample());  // NumPy would make an array of one object of a released sample
  using namespace py::literals;
  return py::module_::import("numpy").attr("array")(py::memoryview(py::reinterpret_borrow<py::object>(self)),
                                                    "dtype"_a = dtype, "copy"_a = copy_wish);
}

/// Where a sample has one reference only, which is the caller's to know of: as leave() does.
void leave_if_referred_to_once(const py::weakref& reference) {
  const py::object sample = reference();
  if (sample.is_none() || sample.ref_count() != 2) return;  // ours is the second
  py::cast<SampleObject&>(sample).leave();
}

}  // namespace

const Sample& SampleObject::sample() const {
  if (over_) throw Error(ErrorCode::released, "the sample was released already");
  return sample_;
}

void SampleObject::release() {
  if (views_ != 0) {
    throw py::buffer_error(
        "the sample cannot be released while " + std::to_string(views_) +
        (views_ == 1 ? " array or memoryview looks into it" : " arrays or memoryviews look into it") +
        ": let go of them first (del), or leave it to the last of them");
  }
  over_ = true;
  sample_.release();
}

void SampleObject::leave() noexcept {
  over_ = true;
  if (views_ == 0) sample_.release();
}

void SampleObject::view_gone() noexcept {
  if (--views_ == 0 && over_) sample_.release();
}

bool SampleObject::get_buffer(Py_buffer& view, int flags, py::handle self) {
  const Sample& held = sample();
  const std::byte* const data = held.guarded_data();
  if ((flags & PyBUF_WRITABLE) != 0 || torch_is_loaded()) {
    // Who wanted to write may do so all the same (torch.frombuffer does): let release() look for it.
    static_cast<void>(held.data());
  }
  if (!array_.fill(view, flags, self, data, true)) return false;
  ++views_;
  return true;
}

py::object SampleObject::dlpack(const DlpackRequest& request, py::object self) {
  const Sample& held = sample();
  if (request.must_copy()) return dlpack_copy(request, array_, held.guarded_data());
  if (held.shares_pages()) {
    // A stray write into a small sample could spoil its neighbour.
    if (request.must_not_copy())
      throw py::buffer_error("a small sample is always copied for DLPack: copy=False cannot be had");
    return dlpack_copy(request, array_, held.guarded_data());
  }
  // data() and not guarded_data(): consumers ignore the read-only flag, so release() must look for writes.
  auto capsule = dlpack_view(request, array_, held.data(), true, std::move(self),
                             [](py::handle owner) { object_of<SampleObject>(owner.ptr()).view_gone(); });
  ++views_;
  return capsule;
}

std::string SampleObject::repr() const {
  if (over_) return "<memlane.Sample released>";
  const Sample& held = sample();
  return "<memlane.Sample " + std::to_string(held.sequence()) +
         " shape=" + py::cast<std::string>(py::repr(to_tuple(held.shape()))) +
         " dtype=" + std::string(to_string(held.dtype())) + " nbytes=" + std::to_string(held.size()) + ">";
}

void define_sample(py::module_& module) {
  py::class_<Sender>(module, "Sender", doc("Sender"), plain_class(), py::is_final())
      .def_property_readonly(
          "id", [](const Sender& self) { return to_str(self.id); }, doc("Sender.id"))
      .def_readonly("pid", &Sender::pid, doc("Sender.pid"))
      .def_property_readonly(
          "label", [](const Sender& self) { return to_str(self.label); }, doc("Sender.label"))
      .def("__eq__",
           [](const Sender& self, py::handle other) {
             return py::isinstance<Sender>(other) && py::cast<const Sender&>(other).id == self.id;
           })
      .def("__hash__", [](const Sender& self) { return py::hash(to_str(self.id)); })
      .def("__repr__", [](const Sender& self) {
        return "<memlane.Sender " + self.id + " pid=" + std::to_string(self.pid) +
               " label=" + py::cast<std::string>(py::repr(to_str(self.label))) + ">";
      });

  py::class_<SampleObject> type(module, "Sample", doc("Sample"), with_buffer<SampleObject>(), plain_class(),
                                py::is_final());
  define_buffer_method(type);
  type.def_property_readonly(
          "shape", [](const SampleObject& self) { return to_tuple(self.sample().shape()); }, doc("Sample.shape"))
      .def_property_readonly(
          "dtype", [](const SampleObject& self) { return to_str(to_string(self.sample().dtype())); },
          doc("Sample.dtype"))
      .def_property_readonly(
          "nbytes", [](const SampleObject& self) { return self.sample().size(); }, doc("Sample.nbytes"))
      .def_property_readonly(
          "sequence", [](const SampleObject& self) { return self.sample().sequence(); }, doc("Sample.sequence"))
      .def_property_readonly(
          "sent_time", [](const SampleObject& self) { return seconds(self.sample().sent_time()); },
          doc("Sample.sent_time"))
      .def_property_readonly(
          "received_time", [](const SampleObject& self) { return seconds(self.sample().received_time()); },
          doc("Sample.received_time"))
      .def_property_readonly(
          "sender", [](const SampleObject& self) { return self.sample().sender(); }, doc("Sample.sender"))
      .def_property_readonly(
          "encoding", [](const SampleObject& self) { return to_str(self.sample().encoding()); }, doc("Sample.encoding"))
      .def_property_readonly(
          "user_header", [](const SampleObject& self) { return to_bytes(self.sample().user_header()); },
          doc("Sample.user_header"))
      .def_property_readonly("released", &SampleObject::over, doc("Sample.released"))
      .def("copy", &copy, doc("Sample.copy"))
      .def("release", &SampleObject::release, doc("Sample.release"))
      .def("__enter__",
           [](py::handle self) {
             static_cast<void>(py::cast<const SampleObject&>(self).sample());
             return self;
           })
      .def("__exit__", [](SampleObject& self, const py::args&) { self.leave(); })
      .def(
          "__len__", [](const SampleObject& self) { return self.sample().size(); }, doc("Sample.__len__"))
      .def(
          "__bool__", [](const SampleObject&) { return true; }, doc("Sample.__bool__"))
      .def("__array__", &as_array, py::arg("dtype") = py::none(), py::kw_only(), py::arg("copy") = py::none())
      .def(
          "__dlpack__",
          [](py::handle self, py::handle stream, py::handle max_version, py::handle dl_device, py::handle copy_wish) {
            return py::cast<SampleObject&>(self).dlpack({stream, max_version, dl_device, copy_wish},
                                                        py::reinterpret_borrow<py::object>(self));
          },
          py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
          py::arg("dl_device") = py::none(), py::arg("copy") = py::none(), doc("Sample.__dlpack__"))
      .def("__dlpack_device__",
           [](const SampleObject& self) {
             static_cast<void>(self.sample());
             return py::make_tuple(1, 0);
           })
      .def("__repr__", &SampleObject::repr);
  module.def("leave_if_referred_to_once", &leave_if_referred_to_once);
}

}  // namespace memlane::python
