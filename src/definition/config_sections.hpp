#pragma once
// The shape of conductorai.yaml. Private to definition.

#include "core/document/reader.hpp"
#include "definition/config.hpp"

namespace conductorai::definition {

const core::document::Section<Config>& config_section();

/// One key for people: what `config init` and `config show` say of it.
struct ConfigKey {
  std::string path;     // "llm.model"
  std::string example;  // as YAML
  std::string comment;
  bool secret = false;
  std::string (*shown)(const Config&);  // the value in use
};
const std::vector<ConfigKey>& config_keys();

}  // namespace conductorai::definition
