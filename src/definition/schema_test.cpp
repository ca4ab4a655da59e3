// The published schema accepts what the loader accepts, as far as a schema can tell, and refuses what it refuses.

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "core/document/document.hpp"
#include "core/json.hpp"
#include "definition/config.hpp"
#include "definition/template.hpp"
#include "definition/test_support.hpp"

namespace conductorai::definition {
namespace {

bool valid(const std::string& schema_text, const std::string& yaml) {
  const auto schema_json = boost::json::parse(schema_text);
  valijson::Schema schema;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::BoostJsonAdapter(schema_json), schema);
  const auto node = core::document::parse(yaml, "w.yaml", core::document::Format::yaml);
  if (!node) return false;
  const auto target = boost::json::parse(core::to_json(core::document::to_value(*node)));
  valijson::Validator validator;
  return validator.validate(schema, valijson::adapters::BoostJsonAdapter(target), nullptr);
}

TEST(WorkflowSchema, AcceptsTheExample) {
  EXPECT_TRUE(valid(workflow_schema(all_agents()), kExample));
}

TEST(WorkflowSchema, AgreesWithTheLoader) {
  const std::string schema = workflow_schema(all_agents());
  const std::string head = "name: a\nrequirement: b\n";
  for (const std::string& line :
       {"",
        "budget: { usd: 0.5 }",
        "budget: { usd: 0 }",
        "budget: { calls: 0 }",
        "buget: {}",
        "timeout: 5",
        "timeout: 5m",
        "timeout: 5d",
        "env: [A]",
        "env: [A B]",
        "env: A",
        "sandbox: { memory: 64MiB, network: prepare }",
        "sandbox: { memory: lots }",
        "sandbox: { network: host }",
        "gates: { devops: { approval: true } }",
        "gates: { test: {} }",
        "gates: { devops: { min-success-rate: 2 } }",
        "llm: { provider: 'mock:a b.yaml' }",
        "llm: { provider: nobody }",
        "llm: { fallback: [{ model: x }] }",
        "tasks: {}",
        "tasks: { a: { agent: coding } }",
        "tasks: { a: {} }",
        "tasks: { 'a b': { agent: coding } }",
        "tasks: { a: { agent: nobody } }",
        "tasks: { a: { agent: command } }",
        "tasks: { a: { agent: command, with: { run: x } } }",
        "tasks: { a: { agent: command, with: { run: x, rnu: x } } }",
        "tasks: { a: { agent: coding, with: { mode: tools } } }",
        "tasks: { a: { agent: coding, with: { mode: '${{ inputs.m }}' } }, inputs: {} }",
        "tasks: { a: { agent: coding, with: { mode: tool } } }",
        "tasks: { a: { agent: test, with: { write-tests: false } } }",
        "tasks: { a: { agent: test, with: { write-tests: 0 } } }",
        "tasks: { a: { agent: test, if: true, needs: [], foreach: [1], outputs: { x: y }, retry: { backoff: 1s } } }",
        "tasks: { a: { agent: test, foreach: x } }",
        "tasks: { a: { agent: test, phase: DEVOPS } }",
        "tasks: { a: { agent: test, priority: 1.5 } }",
        "feedback: { on-exhausted: fail }",
        "feedback: { on-exhausted: never }",
        "rework: { max-rounds: 0 }",
        "name2: x",
        "description: [x]",
        "toolchain: { report: { format: junit } }",
        "toolchain: { report: { format: tap, path: x } }"}) {
    EXPECT_EQ(valid(schema, head + line + "\n"), load_text(head + line + "\n").has_value()) << line << "\n"
                                                                                            << problems_of(head + line + "\n");
  }
  EXPECT_FALSE(valid(schema, "{}"));
  EXPECT_FALSE(valid(schema, "name: a\n"));
}

TEST(WorkflowTemplate, LoadsAndFitsTheSchema) {
  for (const char* language : {"", "python", "node", "cpp", "go", "rust", "cobol"}) {
    for (const std::string& requirement :
         std::vector<std::string>{"", "one", "# H\n\n  more: { x }\n", "a\n\n\n", "  led by blanks", "\n", "tab\tand \x01", "- # ' \" |"}) {
      const std::string text =
          write_template({.name = "it's: \"x\"", .requirement = requirement, .language = language, .has_repository = true});
      const auto loaded = load_text(text);
      ASSERT_TRUE(loaded) << text << problems_of(loaded);
      EXPECT_EQ(loaded->definition.name, "it's: \"x\"");
      if (!requirement.empty()) EXPECT_EQ(loaded->definition.requirement, requirement);
      EXPECT_TRUE(valid(workflow_schema(all_agents()), text));
    }
  }
}

TEST(ConfigSchema, AcceptsAConfiguration) {
  EXPECT_TRUE(valid(config_schema(), "llm: { openai-key: { file: x }, retries: 3 }\nruntime: { agents: { coding: 3 } }\n"));
  EXPECT_FALSE(valid(config_schema(), "llm: { key: x }\n"));
}

}  // namespace
}  // namespace conductorai::definition
