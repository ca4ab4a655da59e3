#include "agents/base/answer_files.hpp"
#include "agents/base/prompt_parts.hpp"
#include "agents/development/prompts.hpp"

namespace conductorai::agents {

Prompt test_data_prompt(const TestDataMaterial& material) {
  Prompt prompt;
  prompt.system =
      "You make test data for the code in the repository: typical cases, edges (empty, largest, smallest, first and last) and hostile ones "
      "(wrong types, injection, broken encodings as text, far too long). Write data files only (json, jsonl, csv, tsv, sql, yaml, xml, "
      "txt), "
      "under fixtures/ unless the repository has a place of its own. JSON is strict, CSV rows have as many fields as their header, SQL "
      "is plain enough for SQLite.\n";
  prompt.system += data_notice();
  prompt.system += file_blocks_format();
  prompt.user =
      std::string(material.requirement) + std::string(material.item) + std::string(material.findings) + std::string(material.files);
  return prompt;
}

}  // namespace conductorai::agents
