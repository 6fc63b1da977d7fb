#include "patience.hpp"

#include <chrono>
#include <cmath>

#include "interrupt.hpp"

namespace memlane::addon {

std::optional<std::size_t> send(Napi::Env env, Publisher& publisher, Loan& loan, const SendInfo& info,
                                Patience patience) {
  if (patience.is_try_once()) {
    auto result = publisher.try_send(loan, info);
    if (!result && result.error().code() == ErrorCode::queue_full) return std::nullopt;
    return result.value();
  }
  if (!patience.is_poll()) {
    const auto span = std::chrono::duration<double, std::milli>(patience.value);
    return publisher.send_within(loan, info, std::isinf(patience.value) ? forever : Timeout(span), interrupt_of(env));
  }
  try {
    return publisher.send_within(loan, info, std::chrono::nanoseconds(0));
  } catch (const Error& error) {
    // Without any time to wait, "timeout" means just that it would have to wait; a subscriber that asked for failure
    // is another code.
    if (error.code() == ErrorCode::timeout) return std::nullopt;
    throw;
  }
}

Napi::Value from_result(Napi::Env env, std::optional<std::size_t> reached) {
  if (!reached) return env.Undefined();
  return Napi::Number::New(env, static_cast<double>(*reached));
}

}  // namespace memlane::addon
