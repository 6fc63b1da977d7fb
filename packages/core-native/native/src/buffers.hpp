// ArrayBuffers over memory of the lane: lent to JavaScript, and taken back.
//
// Memory is taken back by detaching its buffer. A buffer that somebody moved away (ArrayBuffer.prototype.transfer) can no
// longer be detached, and its memory stays readable under the new one: then only the garbage collector gives it back.
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>

namespace memlane::addon {

/// A buffer over `bytes` bytes at `data`, which `owner` keeps valid until the buffer is detached or collected. Undefined
/// where the host allows no such buffers (Electron): then the caller has to copy.
[[nodiscard]] Napi::Value lend(Napi::Env env, void* data, std::size_t bytes, std::shared_ptr<void> owner);

/// Whether the buffer that `lend` made over `data` still is the way to it. Then it can be detached, and nobody can reach
/// the memory any more.
[[nodiscard]] bool holds(const Napi::Value& buffer, const void* data);

/// Detaches a buffer of any kind. Harmless if it is detached already, or no buffer.
void detach(const Napi::Value& buffer);

}  // namespace memlane::addon
