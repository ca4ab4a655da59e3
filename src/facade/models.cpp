#include "facade/models.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "integrations/llm/mock/scripted_llm.hpp"
#include "integrations/llm/mock/stock_llm.hpp"

namespace conductorai::facade {

namespace {

constexpr std::string_view kScripted = "mock:";

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::not_found, "the scripted answers cannot be read", path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

/// Keeps the model alive as long as an attempt talks to it.
class Held final : public BaseLLMProvider {
 public:
  Held(std::shared_ptr<void> model, std::unique_ptr<BaseLLMProvider> stack) : model_(std::move(model)), stack_(std::move(stack)) {}
  [[nodiscard]] std::string_view name() const override { return stack_->name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override { return stack_->chat(std::move(request)); }

 private:
  std::shared_ptr<void> model_;
  std::unique_ptr<BaseLLMProvider> stack_;
};

}  // namespace

task<Result<LlmDefinition>> Models::pin(WorkflowId workflow, LlmDefinition llm, std::filesystem::path project_root) {
  if (llm.provider.empty() || llm.provider == "mock" || is_real_provider(llm.provider) || !llm.script.empty()) co_return llm;
  if (!llm.provider.starts_with(kScripted))
    co_return fail(ErrorCode::unsupported, "this build has no LLM provider '" + llm.provider + "'", {},
                   "openai, anthropic, mock or mock:FILE");
  const std::filesystem::path file = project_root / llm.provider.substr(kScripted.size());
  auto text = read_file(file);
  if (!text) co_return fail(text.error());
  if (auto script = integrations::parse_script(*text, file.string()); !script) co_return fail(script.error());
  auto kept = co_await ports_.artifacts.save(
      {.workflow = workflow, .type = "script", .name = file.filename().string(), .at = ports_.clock.now()}, std::move(*text));
  if (!kept) co_return fail(kept.error());
  llm.script = kept->digest;
  co_return llm;
}

task<Result<Models::Model::Link>> Models::scripted(WorkflowId workflow, LlmDefinition llm) {
  auto text = co_await ports_.artifacts.get(llm.script);
  if (!text) co_return fail(text.error());
  auto script = integrations::parse_script(*text, llm.provider);
  if (!script) co_return fail(script.error());
  auto recorded = co_await ports_.states.list_steps(workflow);
  if (!recorded) co_return fail(recorded.error());
  auto provider = std::make_shared<integrations::ScriptedLLM>(ports_.clock, std::move(*script), *recorded);
  Model::Link link{
      .target = {.provider = "mock", .model = llm.model}, .provider = provider, .notes = provider.get(), .price = integrations::Price{}};
  co_return link;
}

Result<Models::Model::Link> Models::opened(const LlmTarget& target) {
  Model::Link link{.target = target, .provider = {}, .notes = nullptr, .price = integrations::Price{}};
  if (target.provider == "mock") {
    link.provider = std::make_shared<integrations::StockLLM>();
    return link;
  }
  auto provider = ports_.services.open(target.provider, target.model);
  if (!provider) return fail(provider.error());
  auto price = ports_.services.price_of(target.provider, target.model);
  if (!price) return fail(price.error());
  link.provider = std::move(*provider);
  link.price = *price;
  return link;
}

task<Result<std::shared_ptr<Models::Model>>> Models::model_of(std::shared_ptr<const TaskAssignment> assignment) {
  const WorkflowId workflow = assignment->id.workflow;
  if (auto it = models_.find(workflow); it != models_.end()) co_return it->second;
  const LlmDefinition& llm = assignment->workflow->llm;
  if (llm.provider.empty())
    co_return fail(ErrorCode::unavailable, "no LLM is configured", {},
                   "use --llm openai, anthropic, mock or mock:FILE, or the llm section");
  if (auto checked = ports_.services.check(*assignment->workflow); !checked) co_return fail(checked.error());
  auto model = std::make_shared<Model>();
  if (!llm.script.empty()) {
    auto link = co_await scripted(workflow, llm);
    if (!link) co_return fail(link.error());
    model->chain.push_back(std::move(*link));
  } else {
    auto link = opened({.provider = llm.provider, .model = llm.model});
    if (!link) co_return fail(link.error());
    model->chain.push_back(std::move(*link));
  }
  for (const LlmTarget& target : llm.fallback) {
    auto link = opened(target);
    if (!link) co_return fail(link.error());
    model->chain.push_back(std::move(*link));
  }
  // Two attempts may have come here at once: the first one's object is everybody's.
  co_return models_.try_emplace(workflow, std::move(model)).first->second;
}

std::vector<integrations::CallTarget> Models::targets_of(const Model& model) {
  std::vector<integrations::CallTarget> targets;
  for (const Model::Link& link : model.chain) {
    const bool real = is_real_provider(link.target.provider);
    targets.push_back({.name = link.target.provider + (link.target.model.empty() ? "" : " " + link.target.model),
                       .model = link.target.model,
                       .provider = *link.provider,
                       .notes = link.notes,
                       .price = link.price,
                       .frames = real,
                       .breaker = real ? &ports_.services.breaker(link.target.provider, link.target.model) : nullptr,
                       .limiter = real ? &ports_.services.limiter(link.target.provider) : nullptr});
  }
  return targets;
}

task<Result<std::unique_ptr<BaseLLMProvider>>> Models::open(std::shared_ptr<const TaskAssignment> assignment) {
  auto model = co_await model_of(assignment);
  if (!model) co_return fail(model.error());
  // Limits above the workflow's own come with the attempt.
  if (std::ranges::any_of(assignment->scopes, [](const BudgetScope& scope) { return scope.usd_micros.has_value(); }))
    for (const Model::Link& link : (*model)->chain)
      if (!link.price) co_return fail(no_price(link.target.provider, link.target.model));
  auto stack = integrations::make_call_stack(
      {.states = ports_.states, .artifacts = ports_.artifacts, .clock = ports_.clock, .entropy = ports_.entropy, .notice = ports_.notice},
      targets_of(**model), {.retries = assignment->workflow->llm.retries},
      {.epoch = assignment->epoch, .scopes = assignment->scopes, .agent = {}, .timeout = ports_.services.timeout()});
  co_return std::make_unique<Held>(*model, std::move(stack));
}

}  // namespace conductorai::facade
