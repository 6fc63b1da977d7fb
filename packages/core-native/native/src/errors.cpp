#include "errors.hpp"

#include <string>

#include "addon_data.hpp"

namespace memlane::addon {

Napi::Error to_javascript(Napi::Env env, const Error& error) {
  const std::string code(to_string(error.code()));
  const AddonData& data = AddonData::of(env);
  if (!data.make_error.IsEmpty()) {
    const Napi::Value made = data.make_error.Call({
        Napi::String::New(env, code),
        Napi::String::New(env, error.what()),
        Napi::String::New(env, error.lane()),
        Napi::Number::New(env, error.system_error()),
    });
    return Napi::Error(env, made);
  }
  Napi::Error plain = Napi::Error::New(env, error.what());
  plain.Set("code", Napi::String::New(env, code));
  return plain;
}

}  // namespace memlane::addon
