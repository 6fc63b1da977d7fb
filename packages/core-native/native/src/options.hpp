// The options of the ports, as the SDK hands them over: every one of them present.
#pragma once

#include <napi.h>

#include <memlane/memlane.hpp>

namespace memlane::addon {

[[nodiscard]] PublisherOptions to_publisher_options(const Napi::Value& value);
[[nodiscard]] SubscriberOptions to_subscriber_options(const Napi::Value& value);

}  // namespace memlane::addon
