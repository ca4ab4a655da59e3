#pragma once
// Upcasters bring stored payloads of older event versions to the newest form, one version at a time. Private to core.

#include <boost/json/value.hpp>
#include <span>
#include <string_view>

#include "conductorai/result.hpp"

namespace conductorai::core {

struct Upcaster {
  std::string_view tag;
  int from;  // the version it reads; it makes the next one
  void (*apply)(boost::json::object& payload);
};

/// Errors: unsupported (newer than `newest`, or a step is missing).
Result<void> upcast(std::span<const Upcaster> upcasters, std::string_view tag, int version, int newest, boost::json::object& payload);

/// Those of this build; empty while every event is at its first version.
std::span<const Upcaster> upcasters();

}  // namespace conductorai::core
