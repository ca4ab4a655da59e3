#include "core/provider_name.hpp"

namespace conductorai::core {

ProviderName parse_provider(std::string_view text) {
  const auto colon = text.find(':');
  ProviderName name{.kind = std::string(text.substr(0, colon)), .recorded = {}, .file = {}};
  if (colon == std::string_view::npos) return name;
  std::string_view file = text.substr(colon + 1);
  if (name.kind == "record")
    for (const std::string_view whom : {"openai:", "anthropic:", "mock:"})
      if (file.starts_with(whom)) {
        name.recorded = whom.substr(0, whom.size() - 1);
        file.remove_prefix(whom.size());
        break;
      }
  name.file = file;
  return name;
}

std::string to_string(const ProviderName& name) {
  std::string text = name.kind;
  if (!name.recorded.empty()) text += ":" + name.recorded;
  if (!name.file.empty()) text += ":" + name.file;
  return text;
}

std::string answering(std::string_view text) {
  const ProviderName name = parse_provider(text);
  return name.recorded.empty() ? name.kind : name.recorded;
}

}  // namespace conductorai::core
