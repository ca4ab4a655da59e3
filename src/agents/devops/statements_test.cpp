// What goes with a bundle follows its published form, and depends on nothing but its inputs.

#include "agents/devops/statements.hpp"

#include <gmock/gmock.h>

#include <boost/json/value.hpp>
#include <fstream>
#include <sstream>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "core/json.hpp"
#include "core/json_boost.hpp"

namespace conductorai::agents {
namespace {

const BundleName kName{.name = "shop", .version = "1.0.0-tabc"};
const std::vector<BundledFile> kFiles{{.path = "a b/ü.py", .sha256 = std::string(64, 'a'), .size = 3}, {.path = "link"}};
const std::vector<Dependency> kDependencies{
    {.ecosystem = "pypi", .name = "flask", .version = "3.0.0", .wanted = {}, .source = "requirements.txt"},
    {.ecosystem = "npm", .name = "@a/b", .version = {}, .wanted = "^1", .source = "package.json"}};

std::string wrong_by_schema(const std::string& json) {
  std::ifstream file(CONDUCTORAI_CYCLONEDX_SCHEMA);
  std::stringstream text;
  text << file.rdbuf();
  const auto schema_json = core::parse_boost(text.str());
  const auto document = core::parse_boost(json);
  if (!schema_json || !document) return "no JSON";
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(valijson::adapters::BoostJsonAdapter(*schema_json), schema);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(schema, valijson::adapters::BoostJsonAdapter(*document), &results)) return {};
  std::string words;
  for (const auto& error : results) {
    for (const auto& part : error.context) words += part;
    words += ": " + error.description + "\n";
  }
  return words;
}

TEST(BillOfMaterials, FollowsTheSchemaOfCycloneDx) {
  EXPECT_EQ(wrong_by_schema(bill_of_materials(kName, kFiles, kDependencies)), "");
  EXPECT_EQ(wrong_by_schema(bill_of_materials(kName, {}, {})), "");
  EXPECT_NE(wrong_by_schema(R"({"bomFormat":"CycloneDX","specVersion":"1.5","version":0})"), "");  // the schema is one that can say no
}

TEST(Provenance, NamesWhatLedToTheBundleAndNoTime) {
  TaskAssignment assignment;
  WorkflowDefinition definition;
  definition.name = "shop";
  definition.requirement = "it works";
  assignment.workflow = std::make_shared<const WorkflowDefinition>(definition);
  assignment.id = {WorkflowId("wf-1"), TaskId("package"), 2, 1};
  assignment.workflow_base = "b1";
  assignment.base = "b2";
  ArtifactRecord diff{.workflow = WorkflowId("wf-1"), .task = TaskId("code"), .agent = AgentId("coding-01"), .round = 1, .attempt = 1};
  diff.type = "diff";
  diff.name = "diff.patch";
  diff.digest = Digest("sha256:dd");
  ArtifactRecord again = diff;
  again.at = Timestamp(Milliseconds(5));
  ProvenanceFacts facts{.name = kName, .bundle_sha256 = "ab", .tree = "t1", .material = {diff}, .made = {}, .build = "make", .run = {}};
  const std::string once = provenance(assignment, facts);
  facts.material.push_back(again);  // a crash made it twice
  EXPECT_EQ(provenance(assignment, facts), once);
  const auto statement = core::parse_json(once);
  ASSERT_TRUE(statement.has_value());
  EXPECT_EQ(*statement->find("_type")->as_string(), "https://in-toto.io/Statement/v1");
  EXPECT_EQ(*statement->find("predicateType")->as_string(), "https://slsa.dev/provenance/v1");
  const Value* build = statement->find("predicate")->find("buildDefinition");
  const Array& materials = *build->find("resolvedDependencies")->as_array();
  ASSERT_EQ(materials.size(), 4U);
  EXPECT_EQ(*materials[3].find("digest")->find("sha256")->as_string(), "dd");
  EXPECT_EQ(build->find("externalParameters")->find("run"), nullptr);
}

}  // namespace
}  // namespace conductorai::agents
