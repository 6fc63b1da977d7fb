// Waiting without the GIL, so that other threads of the program run meanwhile, and with an ear for Ctrl-C.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "memlane/timeout.hpp"
#include "python.hpp"

namespace memlane::python {

/// A thread that has put the GIL down, and takes it up again now and then to run Python's signal handlers.
///
/// Not an RAII guard on purpose: where the interpreter is being finalised, taking the GIL ends the thread by unwinding
/// its stack, and that must not begin in a destructor.
class ReleasedGil {
 public:
  ReleasedGil() : state_(PyEval_SaveThread()) {}
  ReleasedGil(const ReleasedGil&) = delete;
  ReleasedGil& operator=(const ReleasedGil&) = delete;

  void take_back() { PyEval_RestoreThread(state_); }

  /// For the core's waits: asked at once after a signal, and ten times a second in case another thread got it. Once a
  /// handler has raised, its exception stands in this thread's state, and the wait ends.
  [[nodiscard]] detail::Interrupt interrupt() { return {&ReleasedGil::handler_raised, this}; }

 private:
  static bool handler_raised(void* context) {
    auto& self = *static_cast<ReleasedGil*>(context);
    PyEval_RestoreThread(self.state_);
    const bool raised = PyErr_CheckSignals() != 0;
    self.state_ = PyEval_SaveThread();
    return raised;
  }

  PyThreadState* state_;
};

/// Runs `call(interrupt)` without the GIL. Inside, no Python object may be touched: not even a reference counted.
template <class Call>
auto without_gil(Call&& call) {
  using Value = std::invoke_result_t<Call, const detail::Interrupt&>;
  ReleasedGil released;
  std::exception_ptr problem;
  std::conditional_t<std::is_void_v<Value>, std::optional<bool>, std::optional<Value>> value;
  try {
    if constexpr (std::is_void_v<Value>) {
      call(released.interrupt());
    } else {
      value.emplace(call(released.interrupt()));
    }
  } catch (const std::exception&) {
    problem = std::current_exception();
  }
  released.take_back();
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();  // KeyboardInterrupt, or what the handler raised
  if (problem) std::rethrow_exception(problem);
  if constexpr (!std::is_void_v<Value>) return std::move(*value);
}

}  // namespace memlane::python
