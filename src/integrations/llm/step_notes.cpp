#include "integrations/llm/step_notes.hpp"

#include <algorithm>
#include <charconv>

#include "core/json_codec.hpp"
#include "integrations/llm/step_body.hpp"

namespace conductorai::integrations {

std::vector<std::string> notes_of(const StepRecord& record) {
  auto body = core::read_json<StepBody>(record.response);
  return body ? std::move(body->notes) : std::vector<std::string>{};
}

namespace {
std::vector<int> parts(std::string_view ordinal) {
  std::vector<int> numbers;
  while (!ordinal.empty()) {
    const auto dot = std::min(ordinal.find('.'), ordinal.size());
    int number = 0;
    std::from_chars(ordinal.data(), ordinal.data() + dot, number);
    numbers.push_back(number);
    ordinal.remove_prefix(std::min(dot + 1, ordinal.size()));
  }
  return numbers;
}
}  // namespace

bool ordinal_less(std::string_view a, std::string_view b) {
  return parts(a) < parts(b);
}

}  // namespace conductorai::integrations
