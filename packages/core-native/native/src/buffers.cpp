#include "buffers.hpp"

#include "addon_data.hpp"

namespace memlane::addon {

Napi::Value lend(Napi::Env env, void* data, std::size_t bytes, std::shared_ptr<void> owner) {
  AddonData& addon = AddonData::of(env);
  if (!addon.may_lend) return env.Undefined();
  auto* const hint = new std::shared_ptr<void>(std::move(owner));
  const auto finalize = [](napi_env, void*, void* kept) { delete static_cast<std::shared_ptr<void>*>(kept); };
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, data, bytes, finalize, hint, &buffer);
  if (status == napi_ok) return {env, buffer};
  delete hint;
  if (status != napi_no_external_buffers_allowed) throw Napi::Error::New(env);
  addon.may_lend = false;
  return env.Undefined();
}

bool holds(const Napi::Value& buffer, const void* data) {
  void* found = nullptr;
  std::size_t bytes = 0;
  return napi_get_arraybuffer_info(buffer.Env(), buffer, &found, &bytes) == napi_ok && found == data;
}

void detach(const Napi::Value& buffer) {
  if (buffer.IsArrayBuffer()) napi_detach_arraybuffer(buffer.Env(), buffer);
}

}  // namespace memlane::addon
