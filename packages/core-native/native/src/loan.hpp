// Loan: writable memory inside the lane, until it is sent or given up.
#pragma once

#include <napi.h>

#include <memory>

#include <memlane/memlane.hpp>

namespace memlane::addon {

/// Kept alive by its JavaScript object and by the buffer that was made over it: a loan that is dropped is given up when
/// the garbage collector has found both.
class LoanWrap final : public Napi::ObjectWrap<LoanWrap> {
 public:
  static void define(Napi::Env env);
  [[nodiscard]] static Napi::Value make(Napi::Env env, std::shared_ptr<Publisher> publisher, Loan&& loan);

  explicit LoanWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value lend_buffer(const Napi::CallbackInfo& info);
  Napi::Value copy_from(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value give_up(const Napi::CallbackInfo& info);

  [[nodiscard]] bool fetch(const Napi::Value& buffer, const Loan& loan) const;
  /// The loan, which must be neither sent nor given up.
  [[nodiscard]] Loan& open() const;

  std::shared_ptr<Publisher> publisher_;  // null: sent or given up
  std::shared_ptr<Loan> loan_;            // null: given up, and somebody else has the memory
  const void* lent_ = nullptr;            // the address that a buffer was made over
};

}  // namespace memlane::addon
