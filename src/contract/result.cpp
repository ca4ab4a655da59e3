#include "conductorai/result.hpp"

#include <array>

#include "conductorai/ids.hpp"

namespace conductorai {

namespace {
constexpr std::array kNames{
    std::pair{ErrorCode::invalid_argument, std::string_view("invalid_argument")},
    std::pair{ErrorCode::not_found, std::string_view("not_found")},
    std::pair{ErrorCode::already_exists, std::string_view("already_exists")},
    std::pair{ErrorCode::conflict, std::string_view("conflict")},
    std::pair{ErrorCode::fenced, std::string_view("fenced")},
    std::pair{ErrorCode::permission_denied, std::string_view("permission_denied")},
    std::pair{ErrorCode::unavailable, std::string_view("unavailable")},
    std::pair{ErrorCode::resource_exhausted, std::string_view("resource_exhausted")},
    std::pair{ErrorCode::budget_exhausted, std::string_view("budget_exhausted")},
    std::pair{ErrorCode::rate_limited, std::string_view("rate_limited")},
    std::pair{ErrorCode::timeout, std::string_view("timeout")},
    std::pair{ErrorCode::cancelled, std::string_view("cancelled")},
    std::pair{ErrorCode::invalid_answer, std::string_view("invalid_answer")},
    std::pair{ErrorCode::unsupported, std::string_view("unsupported")},
    std::pair{ErrorCode::data_corrupted, std::string_view("data_corrupted")},
    std::pair{ErrorCode::internal, std::string_view("internal")},
};
}  // namespace

std::string_view to_string(ErrorCode code) {
  for (const auto& [known, name] : kNames)
    if (known == code) return name;
  return "internal";
}

std::optional<ErrorCode> error_code_from_string(std::string_view name) {
  for (const auto& [code, known] : kNames)
    if (known == name) return code;
  return std::nullopt;
}

std::string to_string(const Error& error) {
  std::string text = error.message;
  if (!error.where.empty()) text += " (" + error.where + ")";
  if (error.cause) text += ": " + to_string(*error.cause);
  return text;
}

std::string to_string(const AttemptId& id) {
  return id.task.value + "/" + std::to_string(id.round) + "/" + std::to_string(id.attempt);
}

}  // namespace conductorai
