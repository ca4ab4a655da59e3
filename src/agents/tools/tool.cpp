#include "agents/tools/tool.hpp"

#include <algorithm>

#include "base/printable.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

using Type = ToolParameter::Type;

Value type_of(const ToolParameter& parameter) {
  const char* name = parameter.type == Type::integer ? "integer" : parameter.type == Type::flag ? "boolean" : "string";
  if (parameter.required && parameter.type != Type::text_or_null) return name;
  return Array{name, "null"};
}

std::string_view expected(Type type) {
  switch (type) {
    case Type::text: return "a text";
    case Type::text_or_null: return "a text or null";
    case Type::integer: return "a whole number";
    case Type::flag: return "true or false";
  }
  return "a text";
}

bool fits(const ToolParameter& parameter, const Value& value) {
  switch (parameter.type) {
    case Type::text: return value.as_string() != nullptr;
    case Type::text_or_null: return value.as_string() != nullptr || value.is_null();
    case Type::integer: return value.as_int() != nullptr;
    case Type::flag: return value.as_bool() != nullptr;
  }
  return false;
}

std::unexpected<Error> wrong(const Tool& tool, std::string_view name, const std::string& what) {
  return fail(ErrorCode::invalid_argument, std::string(tool.name) + ": `" + std::string(name) + "` " + what);
}

Result<void> check_value(const Tool& tool, const ToolParameter& parameter, const Value& value) {
  if (!fits(parameter, value)) return wrong(tool, parameter.name, "must be " + std::string(expected(parameter.type)));
  if (const std::string* text = value.as_string(); text != nullptr && text->size() > parameter.bytes_max)
    return wrong(tool, parameter.name,
                 "has " + std::to_string(text->size()) + " bytes; " + std::to_string(parameter.bytes_max) + " are allowed");
  if (const std::int64_t* number = value.as_int(); number != nullptr && (*number < parameter.low || *number > parameter.high))
    return wrong(tool, parameter.name, "must be from " + std::to_string(parameter.low) + " to " + std::to_string(parameter.high));
  return {};
}

std::string names_of(const Tool& tool) {
  std::string names;
  for (const ToolParameter& parameter : tool.parameters) names += (names.empty() ? "" : ", ") + std::string(parameter.name);
  return names;
}

}  // namespace

const Tool* find_tool(std::string_view name) {
  const auto found = std::ranges::find(all_tools(), name, &Tool::name);
  return found == all_tools().end() ? nullptr : &*found;
}

std::string schema_of(const Tool& tool) {
  Object properties;
  Array required;
  for (const ToolParameter& parameter : tool.parameters) {
    properties[std::string(parameter.name)] = Object{{"type", type_of(parameter)}, {"description", std::string(parameter.description)}};
    required.emplace_back(std::string(parameter.name));
  }
  return core::to_json(Object{
      {"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}, {"additionalProperties", false}});
}

Result<Object> check_arguments(const Tool& tool, const Value& arguments) {
  const Object* given = arguments.as_object();
  if (given == nullptr)
    return fail(ErrorCode::invalid_argument, std::string(tool.name) + ": the arguments are no JSON object; give " + names_of(tool));
  Object checked;
  for (const ToolParameter& parameter : tool.parameters) {
    const auto found = given->find(parameter.name);
    const bool absent = found == given->end() || (found->second.is_null() && parameter.type != Type::text_or_null);
    if (absent && parameter.required) return wrong(tool, parameter.name, "is missing");
    if (absent) continue;
    if (auto sound = check_value(tool, parameter, found->second); !sound) return fail(sound.error());
    checked.insert(*found);
  }
  for (const auto& [name, value] : *given)
    if (std::ranges::find(tool.parameters, std::string_view(name), &ToolParameter::name) == tool.parameters.end())
      return wrong(tool, name.substr(0, 100), "is no argument; there are " + names_of(tool));
  return checked;
}

std::string text_argument(const Object& arguments, std::string_view name) {
  const auto found = arguments.find(name);
  const std::string* text = found == arguments.end() ? nullptr : found->second.as_string();
  return text == nullptr ? std::string() : *text;
}

std::int64_t number_argument(const Object& arguments, std::string_view name, std::int64_t otherwise) {
  const auto found = arguments.find(name);
  const std::int64_t* number = found == arguments.end() ? nullptr : found->second.as_int();
  return number == nullptr ? otherwise : *number;
}

bool flag_argument(const Object& arguments, std::string_view name) {
  const auto found = arguments.find(name);
  const bool* flag = found == arguments.end() ? nullptr : found->second.as_bool();
  return flag != nullptr && *flag;
}

ToolAnswer refusal(std::string text) {
  return {.text = std::move(text), .failed = true, .attributes = {}};
}

Result<ToolAnswer> refusal_or_error(const Error& error, ToolEffect effect) {
  const bool the_models = error.code == ErrorCode::permission_denied || error.code == ErrorCode::not_found ||
                          error.code == ErrorCode::invalid_argument ||
                          (error.code == ErrorCode::resource_exhausted && effect == ToolEffect::reads);
  if (the_models) return refusal(printable_line(to_string(error), 1'000));
  return fail(error);
}

}  // namespace conductorai::agents
