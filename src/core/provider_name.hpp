#pragma once
// Names of LLM providers as users write them: "openai", "mock:FILE", "replay:FILE", "record:FILE", "record:openai:FILE".

#include <string>
#include <string_view>

namespace conductorai::core {

struct ProviderName {
  std::string kind;      // openai, anthropic, mock, record, replay
  std::string recorded;  // whom a recording is of: openai, anthropic, mock; empty: not said
  std::string file;      // as written
};

ProviderName parse_provider(std::string_view text);
std::string to_string(const ProviderName& name);

/// Who answers in the end: whom a recording is of, else the kind.
std::string answering(std::string_view text);

}  // namespace conductorai::core
