// Sample: what a subscriber took, until it is released.
#pragma once

#include <napi.h>

#include <memory>

#include <memlane/memlane.hpp>

namespace memlane::addon {

/// Kept alive by its JavaScript object and by the buffer that was made over it: a sample that is dropped is released when
/// the garbage collector has found both.
class SampleWrap final : public Napi::ObjectWrap<SampleWrap> {
 public:
  static void define(Napi::Env env);
  [[nodiscard]] static Napi::Value make(Napi::Env env, Sample&& sample);

  explicit SampleWrap(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

 private:
  Napi::Value size(const Napi::CallbackInfo& info);
  Napi::Value sequence(const Napi::CallbackInfo& info);
  Napi::Value sent_time(const Napi::CallbackInfo& info);
  Napi::Value received_time(const Napi::CallbackInfo& info);
  Napi::Value sender(const Napi::CallbackInfo& info);
  Napi::Value dtype(const Napi::CallbackInfo& info);
  Napi::Value shape(const Napi::CallbackInfo& info);
  Napi::Value encoding(const Napi::CallbackInfo& info);
  Napi::Value user_header(const Napi::CallbackInfo& info);
  Napi::Value lend_buffer(const Napi::CallbackInfo& info);
  Napi::Value copy_to(const Napi::CallbackInfo& info);
  Napi::Value release(const Napi::CallbackInfo& info);

  [[nodiscard]] Sample& held(Napi::Env env) const;
  /// What the garbage collector should be told of a sample that is held, and not lent.
  [[nodiscard]] std::int64_t weight() const;
  void count_memory(Napi::Env env, std::int64_t bytes);

  std::shared_ptr<Sample> sample_;  // null: released
  const void* lent_ = nullptr;      // the address that a buffer was made over
  std::int64_t counted_ = 0;        // bytes that the garbage collector has been told of beside the lent buffer's
};

}  // namespace memlane::addon
