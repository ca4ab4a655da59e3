#include <algorithm>

#include "integrations/llm/openai/openai.hpp"

namespace conductorai::integrations::openai {

bool takes_temperature(std::string_view model) {
  static constexpr std::string_view kThinking[] = {"o1", "o3", "o4", "gpt-5"};
  if (const auto slash = model.rfind('/'); slash != std::string_view::npos) model.remove_prefix(slash + 1);
  return std::ranges::none_of(kThinking, [&](std::string_view family) { return model.starts_with(family); });
}

}  // namespace conductorai::integrations::openai
