#include "agents/devops/statements.hpp"

#include <set>
#include <string_view>
#include <tuple>

#include "core/codec.hpp"
#include "core/json.hpp"

namespace conductorai::agents {
namespace {

Array hashes(const std::string& sha256) {
  Array out;
  out.emplace_back(Object{{"alg", "SHA-256"}, {"content", sha256}});
  return out;
}

Object file_component(const BundledFile& file) {
  Object component{{"type", "file"}, {"name", file.path}, {"bom-ref", "file:" + file.path}};
  if (!file.sha256.empty()) component["hashes"] = hashes(file.sha256);
  return component;
}

Object property(std::string name, std::string value) {
  return {{"name", std::move(name)}, {"value", std::move(value)}};
}

Object library_component(const Dependency& dependency) {
  const std::string url = package_url(dependency);
  Object component{{"type", "library"},
                   {"name", dependency.name},
                   {"purl", url},
                   {"bom-ref", dependency.wanted.empty() ? url : url + "#" + dependency.wanted}};
  if (!dependency.version.empty()) component["version"] = dependency.version;
  Array properties;
  properties.emplace_back(property("conductorai:source", dependency.source));
  if (!dependency.wanted.empty()) properties.emplace_back(property("conductorai:wanted", dependency.wanted));
  component["properties"] = std::move(properties);
  return component;
}

// Digests are "sha256:…" with us and the bare hex in in-toto.
Object digest_set(const Digest& digest) {
  const std::string& text = digest.str();
  const auto colon = text.find(':');
  if (colon == std::string::npos) return {{"sha256", text}};
  return {{text.substr(0, colon), text.substr(colon + 1)}};
}

Object git_commit(std::string name, std::string key, const std::string& id) {
  return {{"name", std::move(name)}, {"digest", Object{{std::move(key), id}}}};
}

Object described(const ArtifactRecord& record) {
  return {{"name", record.name},
          {"digest", digest_set(record.digest)},
          {"annotations", Object{{"type", record.type},
                                 {"task", record.task.str()},
                                 {"round", std::int64_t{record.round}},
                                 {"attempt", std::int64_t{record.attempt}}}}};
}

// What a crash made twice is one material.
Array materials(const TaskAssignment& assignment, const ProvenanceFacts& facts) {
  Array out;
  out.emplace_back(git_commit("workflow base", "gitCommit", assignment.workflow_base));
  out.emplace_back(git_commit("head the bundle was made at", "gitCommit", assignment.base));
  out.emplace_back(git_commit("tree that was bundled", "gitTree", facts.tree));
  std::set<std::tuple<std::string, std::string, int, int, std::string>> seen;
  for (const ArtifactRecord& record : facts.material)
    if (seen.emplace(record.task.str(), record.name, record.round, record.attempt, record.digest.str()).second)
      out.emplace_back(described(record));
  return out;
}

Array byproducts(const std::vector<ArtifactRef>& made) {
  Array out;
  std::set<std::string> seen;
  for (const ArtifactRef& artifact : made)
    if (artifact.type == "report" && seen.insert(artifact.name).second)
      out.emplace_back(Object{{"name", artifact.name}, {"digest", digest_set(artifact.digest)}});
  return out;
}

}  // namespace

std::string bill_of_materials(const BundleName& name, const std::vector<BundledFile>& files, const std::vector<Dependency>& dependencies) {
  const std::string root = name.name + "@" + name.version;
  Array components, needed;
  for (const BundledFile& file : files) components.emplace_back(file_component(file));
  for (const Dependency& dependency : dependencies) {
    Object component = library_component(dependency);
    needed.push_back(component["bom-ref"]);
    components.emplace_back(std::move(component));
  }
  Array graph;
  graph.emplace_back(Object{{"ref", root}, {"dependsOn", std::move(needed)}});
  const Object bom{
      {"bomFormat", "CycloneDX"},
      {"specVersion", "1.5"},
      {"version", 1},
      {"metadata",
       Object{{"component", Object{{"type", "application"}, {"name", name.name}, {"version", name.version}, {"bom-ref", root}}}}},
      {"components", std::move(components)},
      {"dependencies", std::move(graph)}};
  return core::to_json(bom) + "\n";
}

std::string provenance(const TaskAssignment& assignment, const ProvenanceFacts& facts) {
  const WorkflowDefinition& workflow = *assignment.workflow;
  Object external{{"workflow", workflow.name},
                  {"requirement", Object{{"digest", Object{{"sha256", core::sha256_hex(workflow.requirement)}}}}},
                  {"with", assignment.task->with}};
  if (!facts.build.empty()) external["build"] = facts.build;
  if (!facts.run.empty()) external["run"] = facts.run;
  Array subject;
  subject.emplace_back(Object{{"name", facts.name.tar()}, {"digest", Object{{"sha256", facts.bundle_sha256}}}});
  const AttemptId& id = assignment.id;
  const Object statement{
      {"_type", "https://in-toto.io/Statement/v1"},
      {"subject", std::move(subject)},
      {"predicateType", "https://slsa.dev/provenance/v1"},
      {"predicate",
       Object{{"buildDefinition", Object{{"buildType", "urn:conductorai:bundle:v1"},
                                         {"externalParameters", std::move(external)},
                                         {"internalParameters", Object{{"model", workflow.llm.model}, {"provider", workflow.llm.provider}}},
                                         {"resolvedDependencies", materials(assignment, facts)}}},
              {"runDetails", Object{{"builder", Object{{"id", "urn:conductorai:agent:devops"}}},
                                    {"metadata", Object{{"invocationId", id.workflow.str() + "/" + to_string(id)}}},
                                    {"byproducts", byproducts(facts.made)}}}}}};
  return core::to_json(statement) + "\n";
}

}  // namespace conductorai::agents
