#pragma once
// A report: one self-contained HTML page. No script, no request, nothing that text of a model or a test could make it do.

#include <cstdint>
#include <optional>
#include <string>

#include "report/material.hpp"

namespace conductorai::report {

/// Every page begins with it: by it a file is known as a report that may be written anew.
inline constexpr std::string_view kMark = "<!doctype html>\n<!-- conductorai report -->\n";

/// Of a workflow in any state. Its size is bounded by the limits, whatever the workflow holds.
std::string make_page(const Material& material);

/// From the first failed verdict of a monitor to the next passed one, all of them summed up; none where nothing was repaired.
std::optional<std::int64_t> time_to_repair_ms(const Material& material);

}  // namespace conductorai::report
