#include "publisher.hpp"

#include <chrono>

#include "closed.hpp"
#include "convert.hpp"
#include "errors.hpp"
#include "loan.hpp"
#include "options.hpp"
#include "patience.hpp"

namespace memlane::addon {

Napi::Function PublisherWrap::define(Napi::Env env) {
  return DefineClass(env, "Publisher",
                     {
                         InstanceAccessor<&PublisherWrap::name>("name"),
                         InstanceAccessor<&PublisherWrap::closed>("closed"),
                         InstanceMethod<&PublisherWrap::loan>("loan"),
                         InstanceMethod<&PublisherWrap::send>("send"),
                         InstanceMethod<&PublisherWrap::reserve>("reserve"),
                         InstanceMethod<&PublisherWrap::has_peers>("hasPeers"),
                         InstanceMethod<&PublisherWrap::is_flushed>("isFlushed"),
                         InstanceMethod<&PublisherWrap::ready>("ready"),
                         InstanceMethod<&PublisherWrap::stats>("stats"),
                         InstanceMethod<&PublisherWrap::fileno>("fileno"),
                         InstanceMethod<&PublisherWrap::open_bell>("openBell"),
                         InstanceMethod<&PublisherWrap::close>("close"),
                     });
}

PublisherWrap::PublisherWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  translated(info.Env(), [&] {
    publisher_ = std::make_shared<Publisher>(LaneName(to_text(info[0])), to_publisher_options(info[1]));
    name_ = publisher_->name();
  });
}

Publisher& PublisherWrap::open() const {
  if (!publisher_) throw_closed("publisher", name_);
  return *publisher_;
}

Napi::Value PublisherWrap::name(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), name_);
}

Napi::Value PublisherWrap::closed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), !publisher_);
}

/// loan(dtype, shape)
Napi::Value PublisherWrap::loan(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] {
    // First, since to read an extent may run JavaScript, which may close the port.
    const DType dtype = to_dtype(info[0]);
    const Shape shape = to_shape(info[1]);
    Loan loan = open().loan(dtype, shape);
    return LoanWrap::make(info.Env(), publisher_, std::move(loan));
  });
}

/// send(bytes, dtype, shape, patience, encoding, userHeader): sends a copy.
Napi::Value PublisherWrap::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return translated(env, [&] {
    // First, since to read an extent may run JavaScript, which may close the port, or detach the bytes.
    const Shape shape = to_shape(info[2]);
    const DType dtype = to_dtype(info[1]);
    const auto bytes = to_bytes(info[0]);
    const Patience patience{to_double(info[3])};
    const SendInfoArguments arguments(info[4], info[5]);
    // Before the copy: it would be made for nothing.
    if (patience.is_try_once() && !open().ready()) return env.Undefined();
    const auto wanted = shape.byte_count(item_size(dtype));
    if (wanted && *wanted != bytes.size())
      throw Napi::RangeError::New(env, "the data is not as large as its shape says");
    Loan copy = open().loan_copy(dtype, shape, bytes);
    return from_result(env, memlane::addon::send(env, open(), copy, arguments.info(), patience));
  });
}

/// reserve(bytes, count)
Napi::Value PublisherWrap::reserve(const Napi::CallbackInfo& info) {
  translated(info.Env(), [&] { open().reserve(to_count(info[0]), to_count(info[1])); });
  return info.Env().Undefined();
}

/// hasPeers(n): whether so many subscribers are linked.
Napi::Value PublisherWrap::has_peers(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] {
    const bool reached = open().wait_for_subscribers(to_count(info[0]), std::chrono::nanoseconds(0));
    return Napi::Boolean::New(info.Env(), reached);
  });
}

Napi::Value PublisherWrap::is_flushed(const Napi::CallbackInfo& info) {
  return translated(info.Env(),
                    [&] { return Napi::Boolean::New(info.Env(), open().flush(std::chrono::nanoseconds(0))); });
}

Napi::Value PublisherWrap::ready(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] { return Napi::Boolean::New(info.Env(), open().ready()); });
}

Napi::Value PublisherWrap::stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const PublisherStats stats = translated(env, [&] { return open().stats(); });
  auto object = Napi::Object::New(env);
  object.Set("sent", from_count(env, stats.sent));
  object.Set("sentBytes", from_count(env, stats.sent_bytes));
  object.Set("dropped", from_count(env, stats.dropped));
  object.Set("waiting", from_count(env, stats.waiting));
  object.Set("bytes", from_count(env, stats.bytes));
  object.Set("peers", from_count(env, stats.peers));
  object.Set("broken", from_count(env, stats.broken));
  return object;
}

Napi::Value PublisherWrap::fileno(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] { return Napi::Number::New(info.Env(), open().fileno()); });
}

/// A read end of the bell that belongs to the caller.
Napi::Value PublisherWrap::open_bell(const Napi::CallbackInfo& info) {
  return translated(info.Env(), [&] { return Napi::Number::New(info.Env(), open().port().own_fileno().release()); });
}

Napi::Value PublisherWrap::close(const Napi::CallbackInfo& info) {
  translated(info.Env(), [&] {
    if (publisher_) publisher_->close();
    publisher_.reset();
  });
  return info.Env().Undefined();
}

}  // namespace memlane::addon
