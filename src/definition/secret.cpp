#include <fmt/format.h>
#include <sys/wait.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "core/document/document.hpp"
#include "definition/config.hpp"

namespace conductorai::definition {

namespace {

constexpr std::size_t kBytesMax = 65'536;

Result<std::string> first_line(const std::string& text, const std::string& where) {
  std::string line = text.substr(0, text.find_first_of("\r\n"));
  if (line.empty()) return fail(ErrorCode::invalid_argument, "the secret is empty", where);
  return line;
}

Result<std::string> output_of(const std::string& command) {
  const std::string where = "command of a secret";  // its text may hold a secret itself
  std::FILE* pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) return fail(ErrorCode::unavailable, "cannot start a shell", where);
  std::string text;
  char block[4'096];
  while (const std::size_t count = std::fread(block, 1, sizeof block, pipe)) {
    text.append(block, count);
    if (text.size() > kBytesMax) break;
  }
  const int status = ::pclose(pipe);
  if (text.size() > kBytesMax) return fail(ErrorCode::invalid_argument, "the command prints too much for a secret", where);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(ErrorCode::invalid_argument,
                fmt::format("the command failed with exit code {}", WIFEXITED(status) ? WEXITSTATUS(status) : -1), where);
  return first_line(text, where);
}

}  // namespace

Result<std::string> reveal(const Secret& secret) {
  switch (secret.kind) {
    case Secret::Kind::none: return fail(ErrorCode::not_found, "no secret is configured");
    case Secret::Kind::value: return secret.text;
    case Secret::Kind::command: return output_of(secret.text);
    case Secret::Kind::environment: {
      const char* value = std::getenv(secret.text.c_str());
      if (value == nullptr) return fail(ErrorCode::not_found, "the variable of a secret is not set", secret.text);
      return first_line(value, secret.text);
    }
    case Secret::Kind::file: break;
  }
  std::filesystem::path path = secret.text;
  const char* home = std::getenv("HOME");
  if (secret.text.starts_with("~/") && home != nullptr) path = std::filesystem::path(home) / secret.text.substr(2);
  auto text = core::document::read_file(path, secret.text, kBytesMax);
  if (!text) return fail(text.error());
  return first_line(*text, secret.text);
}

std::vector<std::string> readable_secrets(const Config& config) {
  std::vector<std::string> values;
  for (const Secret* secret :
       {&config.llm.openai_key, &config.llm.anthropic_key, &config.s3.access_key, &config.s3.secret_key, &config.s3.session_token}) {
    if (secret->empty() || secret->kind == Secret::Kind::command) continue;
    if (auto value = reveal(*secret)) values.push_back(std::move(*value));
  }
  for (const auto& [name, value] : config.llm.headers) {
    std::string lower = name;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const char* word : {"authorization", "key", "token", "secret", "cookie"})
      if (lower.find(word) != std::string::npos) {
        values.push_back(value.substr(value.starts_with("Bearer ") ? std::string_view("Bearer ").size() : 0));
        break;
      }
  }
  return values;
}

}  // namespace conductorai::definition
