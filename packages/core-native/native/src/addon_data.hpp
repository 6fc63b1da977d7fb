// What the addon keeps for each environment (the main thread, every worker): it has no other state.
#pragma once

#include <napi.h>

#include <optional>

#include <memlane/memlane.hpp>

namespace memlane::addon {

struct AddonData {
  /// Makes a JavaScript error: (code, message, lane, errno) => Error. Set by the SDK.
  Napi::FunctionReference make_error;
  /// A function of JavaScript, to find out whether any still runs.
  Napi::FunctionReference do_nothing;
  Napi::FunctionReference loan_class;
  Napi::FunctionReference sample_class;
  /// Whether ArrayBuffers over memory that is not V8's own may be made here; found out by trying.
  bool may_lend = true;

  static AddonData& of(Napi::Env env) { return *env.GetInstanceData<AddonData>(); }
};

}  // namespace memlane::addon
