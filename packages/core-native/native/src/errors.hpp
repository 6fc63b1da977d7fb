// The border for errors: what the core throws becomes what the SDK says an error is.
#pragma once

#include <napi.h>

#include <utility>

#include <memlane/memlane.hpp>

namespace memlane::addon {

/// The JavaScript error for an error of the core, to be thrown.
[[nodiscard]] Napi::Error to_javascript(Napi::Env env, const Error& error);

/// Runs a call into the core.
template <class Call>
auto translated(Napi::Env env, Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (const Error& error) {
    throw to_javascript(env, error);
  }
}

}  // namespace memlane::addon
