#pragma once
// Dockerfiles as BuildKit reads them: directives, continuation lines, comments and empty lines among them, heredocs.
// Source: the Dockerfile reference, docs.docker.com/reference/dockerfile.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conductorai/models.hpp"

namespace conductorai::agents {

struct DockerInstruction {
  int line = 0;                                            // where it begins
  std::string name;                                        // upper case
  std::vector<std::pair<std::string, std::string>> flags;  // "--from=build" → {"from", "build"}
  std::string rest;                                        // its arguments, lines joined, without flags
  bool heredoc = false;                                    // some of its arguments are here-documents
};

struct ParsedDockerfile {
  std::vector<DockerInstruction> instructions;
  std::vector<Finding> findings;  // what could not be read; without file
};

ParsedDockerfile parse_dockerfile(std::string_view text);

/// Words as a shell would part them, quotes kept; nothing is expanded.
std::vector<std::string> docker_words(std::string_view text);

}  // namespace conductorai::agents
