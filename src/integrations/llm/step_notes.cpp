#include "integrations/llm/step_notes.hpp"

#include "core/json_codec.hpp"
#include "integrations/llm/step_body.hpp"

namespace conductorai::integrations {

std::vector<std::string> notes_of(const StepRecord& record) {
  if (record.response.empty()) return {};
  auto body = core::read_json<StepBody>(record.response);
  return body ? std::move(body->notes) : std::vector<std::string>{};
}

}  // namespace conductorai::integrations
