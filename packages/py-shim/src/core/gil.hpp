// Waiting without the GIL, so that other threads of the program run meanwhile, and with an ear for Ctrl-C.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "memlane/timeout.hpp"
#include "python.hpp"

namespace memlane::python {

/// Runs `call()`, then `take_back()`, and gives what the call gave or throws what it threw.
///
/// Not by an RAII guard, on purpose: where the interpreter is being finalised, taking the GIL ends the thread by unwinding
/// its stack, and that must not begin in a destructor.
template <class Call, class TakeBack>
auto run_then(Call&& call, TakeBack&& take_back) {
  using Value = std::invoke_result_t<Call>;
  std::exception_ptr problem;
  std::conditional_t<std::is_void_v<Value>, std::optional<bool>, std::optional<Value>> value;
  try {
    if constexpr (std::is_void_v<Value>) {
      call();
    } else {
      value.emplace(call());
    }
  } catch (const std::exception&) {
    problem = std::current_exception();
  }
  take_back();
  if (problem) std::rethrow_exception(problem);
  if constexpr (!std::is_void_v<Value>) return std::move(*value);
}

/// Runs `call()` without the GIL. Inside, no Python object may be touched: not even a reference counted.
///
/// A daemon thread that comes back while the interpreter is finalised is ended by Python, without the GIL. So whoever
/// calls this owns no Python object on the way: arguments are py::handle.
template <class Call>
auto without_gil(Call&& call) {
  PyThreadState* const state = PyEval_SaveThread();
  return run_then(std::forward<Call>(call), [&] { PyEval_RestoreThread(state); });
}

/// A thread that waits without the GIL, and takes it up now and then to run Python's signal handlers.
class SignalWatch {
 public:
  SignalWatch() : is_main_(is_main_thread()), state_(PyEval_SaveThread()) {}
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  void take_gil() { PyEval_RestoreThread(state_); }

  /// For the core's waits: asked at once after a signal, and ten times a second in case another thread got it. Once a
  /// handler has raised, its exception stands in this thread's state, and the wait ends.
  ///
  /// Handlers run in the main thread only. The others sleep undisturbed, also while the interpreter is finalised.
  [[nodiscard]] detail::Interrupt interrupt() {
    if (!is_main_) return {};
    return {&SignalWatch::handler_raised, this};
  }

 private:
  static bool handler_raised(void* context) {
    auto& self = *static_cast<SignalWatch*>(context);
    PyEval_RestoreThread(self.state_);
    const bool raised = PyErr_CheckSignals() != 0;
    self.state_ = PyEval_SaveThread();
    return raised;
  }

  static bool is_main_thread() {
    const py::object main = py::module_::import("threading").attr("main_thread")();
    return py::cast<unsigned long>(main.attr("ident")) == PyThread_get_thread_ident();
  }

  bool is_main_;
  PyThreadState* state_;
};

/// As without_gil, for a call that may take long: `call(interrupt)` is ended by Ctrl-C.
template <class Call>
auto wait_without_gil(Call&& call) {
  SignalWatch watch;
  return run_then([&] { return call(watch.interrupt()); },
                  [&] {
                    watch.take_gil();
                    // KeyboardInterrupt, or what another handler raised
                    if (PyErr_Occurred() != nullptr) throw py::error_already_set();
                  });
}

}  // namespace memlane::python
