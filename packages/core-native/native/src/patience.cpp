#include "patience.hpp"

#include <chrono>
#include <cmath>

#include "addon_data.hpp"

namespace memlane::addon {

namespace {

/// Whether a worker's thread has been told to end (worker.terminate(), process.exit() elsewhere). Node waits for the thread,
/// so a send must not go on waiting in it. No call says so; but then JavaScript no longer runs, and that can be tried.
bool is_being_terminated(void* context) {
  const auto env = static_cast<napi_env>(context);
  const Napi::HandleScope scope(env);
  napi_value result = nullptr;
  const Napi::Function nothing = AddonData::of(env).do_nothing.Value();
  if (napi_call_function(env, Napi::Env(env).Undefined(), nothing, 0, nullptr, &result) == napi_ok) return false;
  napi_get_and_clear_last_exception(env, &result);  // or the next error could not be thrown
  return true;
}

}  // namespace

std::optional<std::size_t> send(Napi::Env env, Publisher& publisher, Loan& loan, const SendInfo& info,
                                Patience patience) {
  if (patience.is_try_once()) {
    const auto result = publisher.try_send(loan, info);
    if (!result && result.error().code() == ErrorCode::queue_full) return std::nullopt;
    if (!result) throw result.error();
    return Result(result).value();
  }
  if (!patience.is_poll()) {
    const auto span = std::chrono::duration<double, std::milli>(patience.value);
    const detail::Interrupt interrupt{is_being_terminated, static_cast<napi_env>(env)};
    return publisher.send_within(loan, info, std::isinf(patience.value) ? forever : Timeout(span), interrupt);
  }
  try {
    return publisher.send_within(loan, info, std::chrono::nanoseconds(0));
  } catch (const Error& error) {
    // Without any time to wait, "timeout" means just that it would have to wait; a subscriber that asked for failure
    // is another code.
    if (error.code() == ErrorCode::timeout) return std::nullopt;
    throw;
  }
}

Napi::Value from_result(Napi::Env env, std::optional<std::size_t> reached) {
  if (!reached) return env.Undefined();
  return Napi::Number::New(env, static_cast<double>(*reached));
}

}  // namespace memlane::addon
