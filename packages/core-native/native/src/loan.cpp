#include "loan.hpp"

#include <cstring>
#include <utility>

#include "addon_data.hpp"
#include "buffers.hpp"
#include "convert.hpp"
#include "errors.hpp"
#include "patience.hpp"

namespace memlane::addon {

namespace {

// What the constructor, called by make(), takes over.
struct Incoming {
  std::shared_ptr<Publisher> publisher;
  Loan loan;
};
thread_local Incoming* incoming_loan = nullptr;

constexpr const char* moved_away =
    "the memory of the loan was moved out of its buffer, as ArrayBuffer.prototype.transfer does, and could be written "
    "to "
    "after it was sent; ask for a new loan (the memory comes back when the other buffer is collected)";

}  // namespace

void LoanWrap::define(Napi::Env env) {
  const Napi::Function constructor = DefineClass(env, "Loan",
                                                 {
                                                     InstanceMethod<&LoanWrap::lend_buffer>("lend"),
                                                     InstanceMethod<&LoanWrap::copy_from>("copyFrom"),
                                                     InstanceMethod<&LoanWrap::send>("send"),
                                                     InstanceMethod<&LoanWrap::give_up>("giveUp"),
                                                 });
  AddonData::of(env).loan_class = Napi::Persistent(constructor);
}

Napi::Value LoanWrap::make(Napi::Env env, std::shared_ptr<Publisher> publisher, Loan&& loan) {
  Incoming offer{std::move(publisher), std::move(loan)};
  struct Reset {
    ~Reset() { incoming_loan = nullptr; }  // also where the environment is being terminated and runs no constructor
  } const reset;
  incoming_loan = &offer;
  return AddonData::of(env).loan_class.New({});
}

LoanWrap::LoanWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Incoming* const offer = std::exchange(incoming_loan, nullptr);
  if (offer == nullptr) throw Napi::TypeError::New(info.Env(), "loans come from a publisher");
  publisher_ = std::move(offer->publisher);
  loan_ = std::make_shared<Loan>(std::move(offer->loan));
}

Loan& LoanWrap::open() const {
  if (!loan_) throw Error(ErrorCode::released, "the loan was given up already; ask for a new one");
  static_cast<void>(loan_->data());  // throws what is to be thrown for a loan that is over
  return *loan_;
}

/// A buffer over the loan itself. Undefined where the host allows none: then the SDK writes a buffer of its own, which
/// send() copies.
Napi::Value LoanWrap::lend_buffer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return translated(env, [&]() -> Napi::Value {
    Loan& loan = open();
    if (lent_ != nullptr || loan.size() == 0) return env.Undefined();
    const Napi::Value buffer = lend(env, loan.data(), static_cast<std::size_t>(loan.size()), loan_);
    if (!buffer.IsUndefined()) lent_ = loan.data();
    return buffer;
  });
}

Napi::Value LoanWrap::copy_from(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto source = to_bytes(info[0]);
  translated(env, [&] {
    Loan& loan = open();
    if (source.size() != loan.size()) throw Napi::RangeError::New(env, "the data is not as large as the loan");
    if (!source.empty()) std::memcpy(loan.data(), source.data(), source.size());
  });
  return env.Undefined();
}

/// send(buffer, patience, encoding, userHeader): `buffer` is what lend() returned, or what was written in its place, and is
/// detached by a send that succeeds. If the send fails, or has no result, the loan and its buffer are as before.
Napi::Value LoanWrap::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Value buffer = info[0];
  const Patience patience{to_double(info[1])};
  const SendInfoArguments arguments(info[2], info[3]);
  return translated(env, [&] {
    Loan& loan = open();
    if (!buffer.IsUndefined() && !fetch(buffer, loan)) {
      throw Error(ErrorCode::invalid_argument, moved_away, publisher_->name());
    }
    const auto reached = memlane::addon::send(env, *publisher_, loan, arguments.info(), patience);
    if (reached) {
      // No JavaScript has run since fetch(), so nobody could move the memory meanwhile.
      if (!buffer.IsUndefined()) detach(buffer);
      publisher_.reset();
    }
    return from_result(env, reached);
  });
}

/// Sees to it that the loan holds what the buffer does. False: its memory was moved somewhere else.
bool LoanWrap::fetch(const Napi::Value& buffer, const Loan& loan) const {
  if (lent_ != nullptr) return holds(buffer, lent_);
  auto written = buffer.As<Napi::ArrayBuffer>();
  if (written.ByteLength() != loan.size()) return false;
  if (loan.size() != 0) std::memcpy(loan.data(), written.Data(), written.ByteLength());
  return true;
}

/// giveUp(buffer): `buffer` as for send; it is detached. The second time does nothing.
Napi::Value LoanWrap::give_up(const Napi::CallbackInfo& info) {
  publisher_.reset();
  if (!loan_) return info.Env().Undefined();
  if (lent_ == nullptr || holds(info[0], lent_)) {
    detach(info[0]);
    loan_->give_up();
  } else {
    loan_.reset();  // whoever has the memory now gives it up with it
  }
  return info.Env().Undefined();
}

}  // namespace memlane::addon
