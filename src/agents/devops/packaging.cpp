#include "agents/devops/packaging.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <tuple>

#include "agents/devops/project_facts.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kTreeDigits = 12;  // of a version: enough to tell trees apart
constexpr int kMaterialMax = 10'000;

// As names of files, images and Kubernetes objects may be.
std::string plain_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0)
      out += static_cast<char>(std::tolower(byte));
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "app" : out.substr(0, 63);
}

// What the lists and manifests say, read beforehand: the readers are plain functions.
task<std::map<std::string, std::string>> texts_of(Workspace& workspace, std::vector<std::string> paths) {
  std::map<std::string, std::string> texts;
  for (const std::string& path : paths) {
    auto content = co_await workspace.read(path);
    if (content) texts.emplace(path, std::move(*content));  // a link or one too large tells nothing
  }
  co_return texts;
}

ReadText reader_of(const std::map<std::string, std::string>& texts) {
  return [&texts](const std::string& path) -> std::optional<std::string> {
    const auto found = texts.find(path);
    return found == texts.end() ? std::nullopt : std::optional(found->second);
  };
}

bool is_of(const ArtifactRecord& record, const AttemptId& id) {
  return record.task == id.task && record.round == id.round && record.attempt == id.attempt;
}

// What led to this bundle, in an order that does not hang on clocks.
task<Result<std::vector<ArtifactRecord>>> material_of(TaskContext& context) {
  const AttemptId id = context.assignment().id;
  std::vector<ArtifactRecord> all;
  for (const std::string type : {"prompt", "answer", "diff", "report"}) {
    ArtifactQuery query{.workflow = id.workflow, .task = {}, .agent = {}, .type = type, .name = {}, .limit = kMaterialMax};
    auto found = co_await context.artifacts().query(std::move(query));
    if (!found) co_return fail(found.error());
    for (ArtifactRecord& record : *found)
      if (type != "report" || !is_of(record, id)) all.push_back(std::move(record));
  }
  std::ranges::sort(all, {}, [](const ArtifactRecord& record) {
    return std::tie(record.round, record.task, record.attempt, record.type, record.name, record.digest);
  });
  co_return all;
}

std::string bare_hex(const Digest& digest) {
  return digest.str().substr(digest.str().find(':') + 1);
}

// The tree's own id names the content, so equal trees have equal versions.
std::string version_of(const std::string& declared, const std::string& tree) {
  std::string digits;
  for (const char c : tree)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 && digits.size() < kTreeDigits) digits += c;
  return declared + "-t" + digits;
}

/// What the project says about itself, read beforehand.
struct Facts {
  std::vector<std::string> lists;  // of dependencies
  std::map<std::string, std::string> texts;
};

task<Facts> read_facts(Workspace& workspace, std::vector<std::string> files) {
  Facts facts;
  std::vector<std::string> paths = fact_files(files);
  for (const std::string& path : files)
    if (is_dependency_list(path)) facts.lists.push_back(path);
  paths.insert(paths.end(), facts.lists.begin(), facts.lists.end());
  facts.texts = co_await texts_of(workspace, std::move(paths));
  co_return facts;
}

// Checksums and bill of materials: what the bundle holds, for those who check it.
task<Result<void>> keep_lists(TaskContext& context, BundleName name, std::vector<BundledFile> files, Facts facts) {
  auto sums = co_await context.save_artifact("SHA256SUMS", "report", checksums(files));
  if (!sums) co_return fail(sums.error());
  std::string bom = bill_of_materials(name, files, dependencies_of(facts.lists, reader_of(facts.texts)));
  auto kept = co_await context.save_artifact("sbom.cdx.json", "report", std::move(bom));
  if (!kept) co_return fail(kept.error());
  co_return Result<void>{};
}

// How the bundle came about.
task<Result<void>> keep_provenance(TaskContext& context, Package package, std::string tree, std::string build) {
  auto material = co_await material_of(context);
  if (!material) co_return fail(material.error());
  const ProvenanceFacts facts{.name = package.name,
                              .bundle_sha256 = bare_hex(package.bundle.digest),
                              .tree = std::move(tree),
                              .material = std::move(*material),
                              .made = context.saved_artifacts(),
                              .build = std::move(build),
                              .run = package.run};
  auto stated = co_await context.save_artifact("provenance.json", "report", provenance(context.assignment(), facts));
  if (!stated) co_return fail(stated.error());
  co_return Result<void>{};
}

}  // namespace

task<Result<Package>> make_package(TaskContext& context, Workspace& workspace, BuildCheck build, std::int64_t bytes_max) {
  auto tree = co_await workspace.snapshot();
  if (!tree) co_return fail(tree.error());
  auto bundle = co_await make_bundle(workspace, bytes_max);
  if (!bundle) co_return fail(bundle.error());
  Facts facts = co_await read_facts(workspace, build.files);
  const ReadText read = reader_of(facts.texts);
  Package package;
  package.name = {.name = plain_name(context.assignment().workflow->name),
                  .version = version_of(declared_version(build.files, read), *tree)};
  package.files = bundle->files.size();
  package.run = build.run.empty() ? run_command(build.files, read) : build.run;
  auto kept = co_await context.save_artifact(package.name.tar(), "bundle", std::move(bundle->tar));
  if (!kept) co_return fail(kept.error());
  package.bundle = std::move(*kept);
  auto listed = co_await keep_lists(context, package.name, std::move(bundle->files), std::move(facts));
  if (!listed) co_return fail(listed.error());
  auto stated = co_await keep_provenance(context, package, std::move(*tree), std::move(build.build));
  if (!stated) co_return fail(stated.error());
  co_return package;
}

}  // namespace conductorai::agents
