#pragma once
#include <string>

#include "conductorai/artifact_store.hpp"

namespace conductorai::infrastructure {

inline bool matches(const ArtifactQuery& query, const ArtifactRecord& record) {
  return (query.workflow.empty() || query.workflow == record.workflow) && (query.task.empty() || query.task == record.task) &&
         (query.agent.empty() || query.agent == record.agent) && (query.type.empty() || query.type == record.type) &&
         (query.name.empty() || query.name == record.name);
}

/// A record saved again (an attempt done over after a crash) is the same record, whenever it was.
inline std::string record_key(const ArtifactRecord& record) {
  std::string key = record.workflow.value;
  for (const std::string& part : {record.task.value, record.agent.value, std::to_string(record.round), std::to_string(record.attempt),
                                  record.type, record.name, record.digest.value})
    (key += '\n') += part;
  return key;
}

}  // namespace conductorai::infrastructure
