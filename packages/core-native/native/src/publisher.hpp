// Publisher: the sending port. Everything that may have to wait is a look that does not wait; the SDK looks again when
// the bell rings.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include <memlane/memlane.hpp>

namespace memlane::addon {

class PublisherWrap final : public Napi::ObjectWrap<PublisherWrap> {
 public:
  [[nodiscard]] static Napi::Function define(Napi::Env env);

  explicit PublisherWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value name(const Napi::CallbackInfo& info);
  Napi::Value closed(const Napi::CallbackInfo& info);
  Napi::Value loan(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value reserve(const Napi::CallbackInfo& info);
  Napi::Value has_peers(const Napi::CallbackInfo& info);
  Napi::Value is_flushed(const Napi::CallbackInfo& info);
  Napi::Value ready(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value fileno(const Napi::CallbackInfo& info);
  Napi::Value open_bell(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  /// Throws Error(closed).
  [[nodiscard]] Publisher& open() const;

  std::string name_;
  std::shared_ptr<Publisher> publisher_;  // its loans share it; null: closed
};

}  // namespace memlane::addon
