#include "sample.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "addon_data.hpp"
#include "buffers.hpp"
#include "convert.hpp"
#include "errors.hpp"

namespace memlane::addon {

namespace {

// The sample that the constructor, called by make(), takes over.
thread_local Sample* incoming_sample = nullptr;

// Below this nobody's memory is short for want of a collection, and telling the collector would cost more than it tells.
constexpr std::uint64_t worth_counting = std::uint64_t{16} << 10U;  // bytes

// V8 begins to collect when what it is told of has grown by 64 MiB: a few dropped samples are to bring it there, one that is
// held as it should be is not.
constexpr std::uint64_t most_counted = std::uint64_t{16} << 20U;  // bytes a sample

}  // namespace

void SampleWrap::define(Napi::Env env) {
  const Napi::Function constructor = DefineClass(env, "Sample",
                                                 {
                                                     InstanceAccessor<&SampleWrap::size>("size"),
                                                     InstanceAccessor<&SampleWrap::sequence>("sequence"),
                                                     InstanceAccessor<&SampleWrap::sent_time>("sentTime"),
                                                     InstanceAccessor<&SampleWrap::received_time>("receivedTime"),
                                                     InstanceAccessor<&SampleWrap::sender>("sender"),
                                                     InstanceAccessor<&SampleWrap::dtype>("dtype"),
                                                     InstanceAccessor<&SampleWrap::shape>("shape"),
                                                     InstanceAccessor<&SampleWrap::encoding>("encoding"),
                                                     InstanceAccessor<&SampleWrap::user_header>("userHeader"),
                                                     InstanceMethod<&SampleWrap::lend_buffer>("lend"),
                                                     InstanceMethod<&SampleWrap::copy_to>("copyTo"),
                                                     InstanceMethod<&SampleWrap::release>("release"),
                                                 });
  AddonData::of(env).sample_class = Napi::Persistent(constructor);
}

Napi::Value SampleWrap::make(Napi::Env env, Sample&& sample) {
  struct Offer {
    explicit Offer(Sample& sample) { incoming_sample = &sample; }
    ~Offer() { incoming_sample = nullptr; }  // also where the environment is being terminated and runs no constructor
  } const offer(sample);
  return AddonData::of(env).sample_class.New({});
}

SampleWrap::SampleWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Sample* const taken = std::exchange(incoming_sample, nullptr);
  if (taken == nullptr) throw Napi::TypeError::New(info.Env(), "samples come from a subscriber");
  sample_ = std::make_shared<Sample>(std::move(*taken));
  // A sample that is dropped unread weighs nothing in JavaScript's heap: without this it would be collected too late.
  count_memory(info.Env(), weight());
}

void SampleWrap::Finalize(Napi::Env env) {
  count_memory(env, 0);
}

void SampleWrap::count_memory(Napi::Env env, std::int64_t bytes) {
  if (bytes == counted_) return;
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes - std::exchange(counted_, bytes));
}

std::int64_t SampleWrap::weight() const {
  const std::uint64_t bytes = sample_->size();
  return bytes < worth_counting ? 0 : static_cast<std::int64_t>(std::min(bytes, most_counted));
}

Sample& SampleWrap::held(Napi::Env env) const {
  if (!sample_) throw to_javascript(env, Error(ErrorCode::released, "the sample was released already"));
  return *sample_;
}

Napi::Value SampleWrap::size(const Napi::CallbackInfo& info) {
  return from_count(info.Env(), held(info.Env()).size());
}

Napi::Value SampleWrap::sequence(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), held(info.Env()).sequence());
}

Napi::Value SampleWrap::sent_time(const Napi::CallbackInfo& info) {
  return from_nanoseconds(info.Env(), held(info.Env()).sent_time());
}

Napi::Value SampleWrap::received_time(const Napi::CallbackInfo& info) {
  return from_nanoseconds(info.Env(), held(info.Env()).received_time());
}

Napi::Value SampleWrap::sender(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Sender from = held(env).sender();
  auto sender = Napi::Object::New(env);
  sender.Set("id", from.id);
  sender.Set("pid", static_cast<double>(from.pid));
  sender.Set("label", from.label);
  return sender;
}

Napi::Value SampleWrap::dtype(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(held(info.Env()).dtype()));
}

Napi::Value SampleWrap::shape(const Napi::CallbackInfo& info) {
  return from_shape(info.Env(), held(info.Env()).shape());
}

Napi::Value SampleWrap::encoding(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), std::string(held(info.Env()).encoding()));
}

Napi::Value SampleWrap::user_header(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto header = held(env).user_header();
  auto copy = Napi::Uint8Array::New(env, header.size());
  if (!header.empty()) std::memcpy(copy.Data(), header.data(), header.size());
  return copy;
}

/// A buffer over the payload itself. Undefined where it must be copied instead: because the payload shares a page with
/// another one, which a stray write would spoil, or because the host allows no such buffers.
Napi::Value SampleWrap::lend_buffer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Sample& sample = held(env);
  return translated(env, [&]() -> Napi::Value {
    if (lent_ != nullptr || sample.size() == 0 || sample.shares_pages() || !AddonData::of(env).may_lend) {
      return env.Undefined();
    }
    auto* const data = const_cast<std::byte*>(sample.data());  // a private mapping: a write stays in this process
    // First: the buffer counts for itself, and the two together would begin a collection too early.
    count_memory(env, 0);
    const Napi::Value buffer = lend(env, data, static_cast<std::size_t>(sample.size()), sample_);
    if (buffer.IsUndefined()) {
      count_memory(env, weight());
    } else {
      lent_ = data;
    }
    return buffer;
  });
}

Napi::Value SampleWrap::copy_to(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Sample& sample = held(env);
  const auto target = to_bytes(info[0]);
  if (target.size() != sample.size()) throw Napi::RangeError::New(env, "the copy is not as large as the payload");
  translated(env, [&] { sample.copy_to(target.data()); });
  return env.Undefined();
}

/// release(buffer?): gives the payload back; `buffer` is what lend() returned, or the copy. Returns false if the memory
/// was moved out of the buffer: then it is given back when the garbage collector finds it.
Napi::Value SampleWrap::release(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto sample = std::exchange(sample_, nullptr);
  if (!sample) return Napi::Boolean::New(env, true);
  count_memory(env, 0);
  if (lent_ != nullptr && !holds(info[0], lent_)) return Napi::Boolean::New(env, false);
  detach(info[0]);
  sample->release();
  return Napi::Boolean::New(env, true);
}

}  // namespace memlane::addon
