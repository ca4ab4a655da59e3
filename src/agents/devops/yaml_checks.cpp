#include "agents/devops/yaml_checks.hpp"

#include <algorithm>
#include <set>

#include "agents/devops/schemas.hpp"
#include "core/document/document.hpp"
#include "core/document/stream.hpp"
#include "core/document/words.hpp"
#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

using core::document::Node;
using core::document::Position;
using core::document::quote;

constexpr std::size_t kDocumentsMax = 100;  // of one file of manifests
constexpr core::document::Limits kLimits{.bytes = std::size_t{2} << 20, .depth = 64, .nodes = 10'000, .text_bytes = std::size_t{2} << 20};

class Checker {
 public:
  explicit Checker(FileCheck& out) : out_(out) {}

  void error(Position at, std::string message) {
    out_.findings.push_back(
        {.severity = Severity::error, .file = out_.file, .line = at.line, .message = std::move(message), .source = "validation"});
  }

  // "FILE:line:column" of the parser's errors.
  void syntax(const Error& wrong) {
    std::string_view where = wrong.where;
    where.remove_prefix(std::min(where.size(), out_.file.size() + 1));
    const int line = evidence::take_number(where).value_or(1);
    error({.line = line, .column = 1}, wrong.message + (wrong.hint.empty() ? "" : " (" + wrong.hint + ")"));
  }

  void violations(const std::vector<Violation>& found) {
    for (const Violation& violation : found) error(violation.at, (violation.path.empty() ? "" : violation.path + ": ") + violation.message);
  }

  void workflow(const Node& root) {
    violations(workflow_violations(root));
    const Node* jobs = root.find("jobs");
    if (jobs == nullptr) return;
    for (const auto& job : jobs->members)
      if (const Node* needs = job.value.find("needs")) known(*needs, *jobs, "jobs." + job.key + ".needs: there is no job ");
  }

  void compose(const Node& root) {
    violations(compose_violations(root));
    const Node* services = root.find("services");
    if (services == nullptr || services->members.empty()) return error(root.at, "there are no services");
    for (const auto& service : services->members) {
      if (const Node* needs = service.value.find("depends_on"))
        known(*needs, *services, "services." + service.key + ".depends_on: there is no service ");
      if (service.value.find("image") == nullptr && service.value.find("build") == nullptr && service.value.find("extends") == nullptr)
        error(service.key_at, "services." + service.key + " has neither an image nor a build");
    }
  }

  // Whether a schema was there.
  bool manifest(const Node& root) {
    const std::string version = text_of(root, "apiVersion"), kind = text_of(root, "kind");
    if (version.empty() || kind.empty()) return error(root.at, "a manifest needs apiVersion and kind"), true;
    const auto found = manifest_violations(version + " " + kind, root);
    if (!found) return false;
    violations(*found);
    const Node* metadata = root.find("metadata");
    if (metadata != nullptr && metadata->find("name") == nullptr && metadata->find("generateName") == nullptr)
      error(metadata->at, "metadata: a name is missing");
    if (const Node* spec = root.find("spec"); spec != nullptr && version == "apps/v1") selector(*spec);
    return true;
  }

 private:
  static std::string text_of(const Node& node, std::string_view key) {
    const Node* found = node.find(key);
    return found != nullptr && found->is(Node::Kind::text) ? found->text : std::string();
  }

  void one_known(std::string_view key, Position at, const Node& all, const std::string& words) {
    if (all.find(key) == nullptr) error(at, words + quote(key));
  }

  // `names` is a name, a list of names, or a mapping by name.
  void known(const Node& names, const Node& all, const std::string& words) {
    if (names.is(Node::Kind::text)) one_known(names.text, names.at, all, words);
    for (const Node& item : names.items)
      if (item.is(Node::Kind::text)) one_known(item.text, item.at, all, words);
    for (const auto& member : names.members) one_known(member.key, member.key_at, all, words);
  }

  // The API server refuses a selector that its own pods do not match.
  void selector(const Node& spec) {
    const Node* wanted = spec.find("selector");
    wanted = wanted == nullptr ? nullptr : wanted->find("matchLabels");
    const Node* labels = spec.find("template");
    labels = labels == nullptr ? nullptr : labels->find("metadata");
    labels = labels == nullptr ? nullptr : labels->find("labels");
    if (wanted == nullptr) return;
    for (const auto& member : wanted->members) {
      const Node* label = labels == nullptr ? nullptr : labels->find(member.key);
      if (label == nullptr || label->text != member.value.text)
        error(member.key_at, "spec.selector.matchLabels." + member.key + ": the pods of spec.template do not have this label");
    }
  }

  FileCheck& out_;
};

void check_manifests(FileCheck& out, std::string_view content) {
  Checker checker(out);
  const auto parts = core::document::split_documents(content);
  if (parts.empty()) return checker.error({}, "it holds no manifest");
  if (parts.size() > kDocumentsMax)
    return checker.error({}, "it holds " + std::to_string(parts.size()) + " documents; " + std::to_string(kDocumentsMax) + " are checked");
  std::set<std::string> unknown;
  for (const core::document::Part& part : parts) {
    auto parsed = core::document::parse_part(part, out.file, kLimits);
    if (!parsed) {
      checker.syntax(parsed.error());
      continue;
    }
    if (checker.manifest(*parsed)) continue;
    unknown.insert(parsed->find("apiVersion")->text + " " + parsed->find("kind")->text);
  }
  for (const std::string& kind : unknown)
    out.depth = (out.depth == "schema" ? "checked for syntax only, no schema here: " : out.depth + ", ") + evidence::shortened(kind, 80);
}

void check_document(FileCheck& out, std::string_view content) {
  Checker checker(out);
  auto parsed = core::document::parse(content, out.file, core::document::Format::yaml, kLimits);
  if (!parsed) return checker.syntax(parsed.error());
  if (out.kind == DeliveryKind::workflow) return checker.workflow(*parsed);
  checker.compose(*parsed);
}

}  // namespace

FileCheck check_yaml_file(std::string path, DeliveryKind kind, std::string_view content) {
  FileCheck out{.file = std::move(path), .kind = kind, .depth = "schema", .findings = {}};
  if (kind == DeliveryKind::manifest)
    check_manifests(out, content);
  else
    check_document(out, content);
  return out;
}

}  // namespace conductorai::agents
