#pragma once
// What a model's answer to the TestAgent may change.

#include <map>
#include <string>
#include <vector>

#include "agents/base/answer_files.hpp"

namespace conductorai::agents {

/// Why the answer's files are refused; empty when they may be applied. New files of any kind may come, test code and build descriptions
/// may change, nothing else; and no test that is there may be deleted or weakened. `before`: present content of the paths that exist.
std::vector<Finding> refusals_of_tests(const AnswerFiles& files, const std::map<std::string, std::string>& before);

}  // namespace conductorai::agents
