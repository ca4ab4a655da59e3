// The published schema: the sections' own, completed by what agents declare of `with`.

#include "core/json.hpp"
#include "definition/sections.hpp"
#include "definition/workflow_loader.hpp"

namespace conductorai::definition {

namespace document = core::document;

namespace {

Object of_type(const char* name) {
  return Object{{"type", name}};
}

Object value_schema(const WithKey& key) {
  switch (key.type) {
    case WithKey::Type::text: {
      Object schema = of_type("string");
      Array words;
      for (const std::string& word : key.allowed) words.emplace_back(word);
      if (!words.empty()) schema["enum"] = std::move(words);
      return schema;
    }
    case WithKey::Type::integer: return of_type("integer");
    case WithKey::Type::number: return of_type("number");
    case WithKey::Type::boolean: return of_type("boolean");
    case WithKey::Type::array: return of_type("array");
    case WithKey::Type::object: return of_type("object");
    case WithKey::Type::duration: return document::duration().schema;
    case WithKey::Type::any: return {};
  }
  return {};
}

Object with_schema(const AgentDescription& agent) {
  Object properties;
  Array required;
  for (const WithKey& key : agent.with) {
    Object schema = value_schema(key);
    const bool text_takes_expressions = key.type == WithKey::Type::text && key.allowed.empty();
    if (!schema.empty() && !text_takes_expressions) {
      const Object expression{{"type", "string"}, {"pattern", "\\$\\{\\{"}};
      schema = Object{{"anyOf", Array{std::move(schema), expression}}};
    }
    schema["description"] = key.description;
    properties.emplace(key.name, std::move(schema));
    if (key.required) required.emplace_back(key.name);
  }
  Object schema{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

/// "if the agent is X, then `with` is as X declares it"
Value agent_rule(const AgentDescription& agent) {
  Object then{{"properties", Object{{"with", with_schema(agent)}}}};
  for (const WithKey& key : agent.with)
    if (key.required) then["required"] = Array{"with"};
  const Object condition{{"properties", Object{{"agent", Object{{"const", agent.type.value}}}}}};
  return Object{{"if", condition}, {"then", std::move(then)}};
}

void complete_task(Object& task, const std::vector<AgentDescription>& agents) {
  Array names, rules;
  for (const AgentDescription& agent : agents) {
    names.emplace_back(agent.type.value);
    rules.push_back(agent_rule(agent));
  }
  if (agents.empty()) return;
  Object& properties = *task.at("properties").as_object();
  (*properties.at("agent").as_object())["enum"] = std::move(names);
  task["allOf"] = std::move(rules);
}

}  // namespace

std::string workflow_schema(const std::vector<AgentDescription>& agents) {
  Object schema = workflow_section().schema();
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "ConductorAI workflow";
  const auto with_key = [](const char* key) { return Value(Object{{"required", Array{key}}}); };
  schema["anyOf"] = Array{with_key("requirement"), with_key("requirement-file"), with_key("tasks")};
  Object& properties = *schema.at("properties").as_object();
  Object& tasks = *properties.at("tasks").as_object();
  tasks["minProperties"] = 1;
  Object& patterns = *tasks.at("patternProperties").as_object();
  complete_task(*patterns.begin()->second.as_object(), agents);
  return core::to_json(schema);
}

}  // namespace conductorai::definition
