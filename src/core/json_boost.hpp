#pragma once
// The Boost.JSON side of JSON, for code that needs its DOM (codecs, schema validation).

#include <boost/json/value.hpp>
#include <string_view>

#include "conductorai/result.hpp"
#include "conductorai/value.hpp"

namespace conductorai::core {

Result<boost::json::value> parse_boost(std::string_view text, boost::json::storage_ptr storage = {});
Value from_boost(const boost::json::value& value);

}  // namespace conductorai::core
