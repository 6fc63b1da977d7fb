#include "subscriber.hpp"

#include <chrono>

#include "closed.hpp"
#include "convert.hpp"
#include "errors.hpp"
#include "options.hpp"
#include "sample.hpp"

namespace memlane::addon {

Napi::Function SubscriberWrap::define(Napi::Env env) {
  return DefineClass(env, "Subscriber",
                     {
                         InstanceAccessor<&SubscriberWrap::name>("name"),
                         InstanceAccessor<&SubscriberWrap::closed>("closed"),
                         InstanceMethod<&SubscriberWrap::take>("take"),
                         InstanceMethod<&SubscriberWrap::idle>("idle"),
                         InstanceMethod<&SubscriberWrap::has_peers>("hasPeers"),
                         InstanceMethod<&SubscriberWrap::ready>("ready"),
                         InstanceMethod<&SubscriberWrap::stats>("stats"),
                         InstanceMethod<&SubscriberWrap::fileno>("fileno"),
                         InstanceMethod<&SubscriberWrap::open_bell>("openBell"),
                         InstanceMethod<&SubscriberWrap::close>("close"),
                     });
}

SubscriberWrap::SubscriberWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  translated(info.Env(), [&] {
    subscriber_.emplace(LaneName(to_text(info[0])), to_subscriber_options(info[1]));
    name_ = subscriber_->name();
    subscriber_->port().confine_to_caller();  // a JavaScript object never leaves its thread
  });
}

Subscriber& SubscriberWrap::open() {
  if (!subscriber_) throw_closed("subscriber", name_);
  return *subscriber_;
}

Napi::Value SubscriberWrap::name(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), name_);
}

Napi::Value SubscriberWrap::closed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), !subscriber_);
}

Napi::Value SubscriberWrap::take(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&]() -> Napi::Value {
    auto sample = open().take();
    return sample ? SampleWrap::make(info.Env(), std::move(*sample)) : info.Env().Undefined();
  });
}

Napi::Value SubscriberWrap::idle(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] { return Napi::Boolean::New(info.Env(), open().idle()); });
}

/// hasPeers(n): whether so many publishers are linked.
Napi::Value SubscriberWrap::has_peers(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] {
    const bool reached = open().wait_for_publishers(to_count(info[0]), std::chrono::nanoseconds(0));
    return Napi::Boolean::New(info.Env(), reached);
  });
}

Napi::Value SubscriberWrap::ready(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] { return Napi::Boolean::New(info.Env(), open().ready()); });
}

Napi::Value SubscriberWrap::stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const SubscriberStats stats = translated(env, [&] { return open().stats(); });
  auto object = Napi::Object::New(env);
  object.Set("received", from_count(env, stats.received));
  object.Set("bytes", from_count(env, stats.bytes));
  object.Set("dropped", from_count(env, stats.dropped));
  object.Set("waiting", from_count(env, stats.waiting));
  object.Set("held", from_count(env, stats.held));
  object.Set("peers", from_count(env, stats.peers));
  object.Set("broken", from_count(env, stats.broken));
  return object;
}

Napi::Value SubscriberWrap::fileno(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] { return Napi::Number::New(info.Env(), open().fileno()); });
}

/// A read end of the bell that belongs to the caller.
Napi::Value SubscriberWrap::open_bell(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] { return Napi::Number::New(info.Env(), open().port().own_fileno().release()); });
}

Napi::Value SubscriberWrap::close(const Napi::CallbackInfo& info) {
  translated(info.Env(), [&] {
    if (subscriber_) subscriber_->close();
    subscriber_.reset();
  });
  return info.Env().Undefined();
}

}  // namespace memlane::addon
