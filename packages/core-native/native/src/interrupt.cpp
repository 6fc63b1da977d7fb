#include "interrupt.hpp"

#include "addon_data.hpp"

namespace memlane::addon {

namespace {

/// No call of Node-API says so; but then JavaScript no longer runs, and that can be tried.
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

detail::Interrupt interrupt_of(Napi::Env env) {
  return {is_being_terminated, static_cast<napi_env>(env)};
}

}  // namespace memlane::addon
