#include "orchestration/engine/pinned_definitions.hpp"

#include "core/codec.hpp"

namespace conductorai::orchestration {

namespace {
constexpr std::string_view kDefinitions = "definitions";  // no workflow id: these begin with "wf-"
}

task<Result<Digest>> PinnedDefinitions::pin(Definition definition) {
  if (definition_ != nullptr && *definition_ == *definition) co_return digest_;
  auto saved = co_await artifacts_.save(
      {.workflow = WorkflowId(std::string(kDefinitions)), .type = "definition", .name = "workflow.json", .at = clock_.now()},
      core::encode_definition(*definition));
  if (!saved) co_return fail(saved.error());
  definition_ = std::move(definition);
  digest_ = std::move(saved->digest);
  co_return digest_;
}

task<Result<PinnedDefinitions::Definition>> PinnedDefinitions::load(Digest pinned) {
  if (definition_ != nullptr && digest_ == pinned) co_return definition_;
  auto text = co_await artifacts_.get(pinned);
  if (!text) co_return fail(text.error());
  auto definition = core::decode_definition(*text);
  if (!definition) co_return fail(definition.error());
  definition_ = std::make_shared<const WorkflowDefinition>(std::move(*definition));
  digest_ = std::move(pinned);
  co_return definition_;
}

}  // namespace conductorai::orchestration
