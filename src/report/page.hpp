#pragma once
// A report: one self-contained HTML page. No script, no request, nothing that text of a model or a test could make it do.

#include <string>

#include "report/material.hpp"

namespace conductorai::report {

/// Every page begins with it: by it a file is known as a report that may be written anew.
inline constexpr std::string_view kMark = "<!doctype html>\n<!-- conductorai report -->\n";

/// Of a workflow in any state. Its size is bounded by the limits, whatever the workflow holds.
std::string make_page(const Material& material);

}  // namespace conductorai::report
