#include "agents/base/with.hpp"

#include <algorithm>

#include "core/json.hpp"

namespace conductorai::agents {
namespace {

bool fits(WithKey::Type type, const Value& value) {
  switch (type) {
    case WithKey::Type::text: return value.as_string() != nullptr;
    case WithKey::Type::integer: return value.as_int() != nullptr;
    case WithKey::Type::number: return value.as_int() != nullptr || value.as_double() != nullptr;
    case WithKey::Type::boolean: return value.as_bool() != nullptr;
    case WithKey::Type::array: return value.as_array() != nullptr;
    case WithKey::Type::object: return value.as_object() != nullptr;
    case WithKey::Type::duration: return value.as_string() != nullptr || value.as_int() != nullptr;
    case WithKey::Type::any: return true;
  }
  return false;
}

std::string_view name_of(WithKey::Type type) {
  switch (type) {
    case WithKey::Type::text: return "text";
    case WithKey::Type::integer: return "a whole number";
    case WithKey::Type::number: return "a number";
    case WithKey::Type::boolean: return "true or false";
    case WithKey::Type::array: return "a list";
    case WithKey::Type::object: return "a mapping";
    case WithKey::Type::duration: return "a duration";
    case WithKey::Type::any: return "anything";
  }
  return "anything";
}

Result<void> check_value(const WithKey& key, const Value& value) {
  if (!fits(key.type, value)) return fail(ErrorCode::invalid_argument, "expected " + std::string(name_of(key.type)), "with." + key.name);
  const std::string* text = value.as_string();
  if (text != nullptr && !key.allowed.empty() && std::ranges::find(key.allowed, *text) == key.allowed.end())
    return fail(ErrorCode::invalid_argument, "'" + *text + "' is not allowed here", "with." + key.name);
  return {};
}

}  // namespace

Result<void> check_with(const AgentDescription& description, const Object& with) {
  for (const WithKey& key : description.with) {
    const auto found = with.find(key.name);
    if (found == with.end()) {
      if (key.required) return fail(ErrorCode::invalid_argument, "agent " + description.type.str() + " needs `with." + key.name + "`");
      continue;
    }
    if (auto checked = check_value(key, found->second); !checked) return checked;
  }
  for (const auto& [name, value] : with)
    if (std::ranges::find(description.with, name, &WithKey::name) == description.with.end())
      return fail(ErrorCode::invalid_argument, "agent " + description.type.str() + " knows no `with." + name + "`");
  return {};
}

std::string text_of(const Object& with, std::string_view key, std::string otherwise) {
  const auto found = with.find(key);
  const std::string* text = found == with.end() ? nullptr : found->second.as_string();
  if (text == nullptr) return otherwise;
  return *text;
}

bool flag_of(const Object& with, std::string_view key, bool otherwise) {
  const auto found = with.find(key);
  const bool* flag = found == with.end() ? nullptr : found->second.as_bool();
  return flag == nullptr ? otherwise : *flag;
}

std::map<std::string, std::string> texts_of(const Object& with, std::string_view key) {
  std::map<std::string, std::string> texts;
  const auto found = with.find(key);
  const Object* object = found == with.end() ? nullptr : found->second.as_object();
  if (object == nullptr) return texts;
  for (const auto& [name, value] : *object) texts[name] = value.as_string() != nullptr ? *value.as_string() : core::to_json(value);
  return texts;
}

}  // namespace conductorai::agents
