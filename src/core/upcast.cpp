#include "core/upcast.hpp"

#include <string>

namespace conductorai::core {

std::span<const Upcaster> upcasters() {
  return {};
}

Result<void> upcast(std::span<const Upcaster> upcasters, std::string_view tag, int version, int newest, boost::json::object& payload) {
  const std::string name = std::string(tag) + " version " + std::to_string(version);
  if (version > newest) return fail(ErrorCode::unsupported, "the journal holds an event of a newer conductorai: " + name);
  for (int at = version; at < newest; ++at) {
    bool found = false;
    for (const Upcaster& step : upcasters) {
      if (step.tag != tag || step.from != at) continue;
      step.apply(payload);
      found = true;
    }
    if (!found) return fail(ErrorCode::unsupported, "the journal holds an event that is no longer read: " + name);
  }
  return {};
}

}  // namespace conductorai::core
