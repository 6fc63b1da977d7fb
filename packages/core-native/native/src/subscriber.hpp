// Subscriber: the receiving port. Nothing here waits; the SDK looks again when the bell rings.
#pragma once

#include <napi.h>

#include <optional>
#include <string>

#include <memlane/memlane.hpp>

namespace memlane::addon {

class SubscriberWrap final : public Napi::ObjectWrap<SubscriberWrap> {
 public:
  [[nodiscard]] static Napi::Function define(Napi::Env env);

  explicit SubscriberWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value name(const Napi::CallbackInfo& info);
  Napi::Value closed(const Napi::CallbackInfo& info);
  Napi::Value take(const Napi::CallbackInfo& info);
  Napi::Value idle(const Napi::CallbackInfo& info);
  Napi::Value has_peers(const Napi::CallbackInfo& info);
  Napi::Value ready(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value fileno(const Napi::CallbackInfo& info);
  Napi::Value open_bell(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  /// Throws Error(closed).
  [[nodiscard]] Subscriber& open();

  std::string name_;
  std::optional<Subscriber> subscriber_;  // nothing: closed
};

}  // namespace memlane::addon
