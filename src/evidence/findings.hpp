#pragma once
// Findings in what programs print: compiler errors, sanitizer reports, tracebacks and assertion messages, with file and line.

#include <string>
#include <string_view>
#include <vector>

#include "conductorai/models.hpp"
#include "evidence/report.hpp"

namespace conductorai::evidence {

/// `files` are the workspace's: an absolute or build-relative path is made relative by the longest suffix that is among them; a place in
/// a file that is not of the workspace is passed over for the next frame that is. At most `limit` findings, in order, each place once.
std::vector<Finding> findings_in_output(std::string_view output, const std::vector<std::string>& files, std::size_t limit = 50);

/// One finding for each failed test; file and line from the case itself or from its message.
std::vector<Finding> findings_of(const TestReport& report, const std::vector<std::string>& files, std::size_t limit = 50);

}  // namespace conductorai::evidence
