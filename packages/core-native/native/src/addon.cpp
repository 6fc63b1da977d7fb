// What the addon exports. Loaded once for each environment that asks for it; see AddonData for what each has.
#include <napi.h>

#include <cstdlib>
#include <string>

#include <memlane/memlane.hpp>

#include "addon_data.hpp"
#include "loan.hpp"
#include "patience.hpp"
#include "publisher.hpp"
#include "sample.hpp"
#include "subscriber.hpp"

namespace memlane::addon {

namespace {

void set_error_factory(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) throw Napi::TypeError::New(info.Env(), "expected a function");
  AddonData::of(info.Env()).make_error = Napi::Persistent(info[0].As<Napi::Function>());
}

/// The names of all codes, of which the SDK has a list of its own; a test compares the two.
Napi::Value error_codes(Napi::Env env) {
  auto codes = Napi::Array::New(env);
  for (std::uint16_t code = 1; to_string(static_cast<ErrorCode>(code)) != "unknown"; ++code) {
    codes.Set(codes.Length(), Napi::String::New(env, std::string(to_string(static_cast<ErrorCode>(code)))));
  }
  return codes;
}

/// Names and sizes of the element types, by their number.
Napi::Value dtypes(Napi::Env env) {
  auto table = Napi::Array::New(env);
  for (std::uint8_t number = 0; is_known(static_cast<DType>(number)); ++number) {
    const auto dtype = static_cast<DType>(number);
    auto row = Napi::Object::New(env);
    row.Set("name", Napi::String::New(env, std::string(to_string(dtype))));
    row.Set("size", Napi::Number::New(env, static_cast<double>(item_size(dtype))));
    table.Set(number, row);
  }
  return table;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  auto* const data = new AddonData;
  env.SetInstanceData(data);
  // For the tests of what happens where ArrayBuffers over foreign memory are forbidden, as they are in Electron.
  const char* const forbidden = std::getenv("MEMLANE_NO_EXTERNAL");
  data->may_lend = forbidden == nullptr || std::string(forbidden) != "1";
  data->do_nothing = Napi::Persistent(env.RunScript("(() => {})").As<Napi::Function>());
  SampleWrap::define(env);
  LoanWrap::define(env);
  exports.Set("Publisher", PublisherWrap::define(env));
  exports.Set("Subscriber", SubscriberWrap::define(env));
  exports.Set("setErrorFactory", Napi::Function::New<set_error_factory>(env, "setErrorFactory"));
  exports.Set("errorCodes", error_codes(env));
  exports.Set("dtypes", dtypes(env));
  exports.Set("POLL", Napi::Number::New(env, Patience::poll));
  exports.Set("TRY_ONCE", Napi::Number::New(env, Patience::try_once));
  exports.Set("version", Napi::String::New(env, std::string(version)));
  return exports;
}

}  // namespace

}  // namespace memlane::addon

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  return memlane::addon::initialize(env, exports);
}

NODE_API_MODULE(memlane_core, initialize)
