#include "options.hpp"

#include <algorithm>
#include <chrono>

#include "convert.hpp"
#include "interrupt.hpp"

namespace memlane::addon {

namespace {

template <class Options>
Options common(const Napi::Object& from) {
  Options options;
  options.interrupt = interrupt_of(from.Env());
  options.join_timeout = to_timeout(from.Get("joinTimeout"));
  options.label = to_text(from.Get("label"));
  options.directory = to_text(from.Get("directory"));
  options.group = to_text(from.Get("group"));
  // Below zero: as the core thinks best.
  const double spin = to_double(from.Get("spin"));
  if (spin >= 0) options.spin = std::chrono::duration<double, std::milli>(spin);
  return options;
}

Napi::Object to_object(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "expected options");
  return value.As<Napi::Object>();
}

/// A count that the core checks: beyond 32 bits it is out of range in any case, and stays so.
std::uint32_t to_small_count(const Napi::Value& value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(to_count(value), 0xFFFF'FFFFU));
}

}  // namespace

PublisherOptions to_publisher_options(const Napi::Value& value) {
  const Napi::Object from = to_object(value);
  auto options = common<PublisherOptions>(from);
  options.history = to_small_count(from.Get("history"));
  options.memory_budget = to_count(from.Get("memoryBudget"));
  options.max_held = to_small_count(from.Get("maxHeld"));
  options.checksum = to_flag(from.Get("checksum"));
  options.send_timeout = to_timeout(from.Get("sendTimeout"));
  return options;
}

SubscriberOptions to_subscriber_options(const Napi::Value& value) {
  const Napi::Object from = to_object(value);
  auto options = common<SubscriberOptions>(from);
  options.depth = to_small_count(from.Get("depth"));
  const auto overflow = overflow_from_string(to_text(from.Get("overflow")));
  if (!overflow) throw Error(ErrorCode::invalid_argument, "unknown overflow policy");
  options.overflow = *overflow;
  options.writable_view = true;  // JavaScript has no read-only memory
  return options;
}

}  // namespace memlane::addon
