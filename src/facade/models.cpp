#include "facade/models.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "integrations/llm/call_stack.hpp"
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

task<Result<std::shared_ptr<Models::Model>>> Models::model_of(std::shared_ptr<const TaskAssignment> assignment) {
  const WorkflowId workflow = assignment->id.workflow;
  if (auto it = models_.find(workflow); it != models_.end()) co_return it->second;
  const LlmDefinition& llm = assignment->workflow->llm;
  auto model = std::make_shared<Model>();
  if (!llm.script.empty()) {
    auto text = co_await ports_.artifacts.get(llm.script);
    if (!text) co_return fail(text.error());
    auto script = integrations::parse_script(*text, llm.provider);
    if (!script) co_return fail(script.error());
    auto recorded = co_await ports_.states.list_steps(workflow);
    if (!recorded) co_return fail(recorded.error());
    auto scripted = std::make_unique<integrations::ScriptedLLM>(ports_.clock, std::move(*script), *recorded);
    model->notes = scripted.get();
    model->provider = std::move(scripted);
    model->price = integrations::Price{};
  } else if (llm.provider == "mock") {
    model->provider = std::make_unique<integrations::StockLLM>();
    model->price = integrations::Price{};
  } else if (is_real_provider(llm.provider)) {
    if (auto checked = ports_.services.check(*assignment->workflow); !checked) co_return fail(checked.error());
    auto opened = ports_.services.open(llm.provider, llm.model);
    if (!opened) co_return fail(opened.error());
    auto price = ports_.services.price_of(llm.provider, llm.model);
    if (!price) co_return fail(price.error());
    model->provider = std::move(*opened);
    model->price = *price;
    model->frames = true;
  } else {
    co_return fail(ErrorCode::unavailable, "no LLM is configured", {},
                   "use --llm openai, anthropic, mock or mock:FILE, or the llm section");
  }
  // Two attempts may have come here at once: the first one's object is everybody's.
  co_return models_.try_emplace(workflow, std::move(model)).first->second;
}

task<Result<std::unique_ptr<BaseLLMProvider>>> Models::open(std::shared_ptr<const TaskAssignment> assignment) {
  auto model = co_await model_of(assignment);
  if (!model) co_return fail(model.error());
  // Limits above the workflow's own come with the attempt.
  const bool money = std::ranges::any_of(assignment->scopes, [](const BudgetScope& scope) { return scope.usd_micros.has_value(); });
  if (money && !(*model)->price) co_return fail(no_price(assignment->workflow->llm.provider, assignment->workflow->llm.model));
  auto stack = integrations::make_call_stack({.inner = *(*model)->provider,
                                              .states = ports_.states,
                                              .artifacts = ports_.artifacts,
                                              .clock = ports_.clock,
                                              .notes = (*model)->notes},
                                             ports_.entropy, {.retries = assignment->workflow->llm.retries},
                                             {.epoch = assignment->epoch,
                                              .scopes = assignment->scopes,
                                              .agent = {},
                                              .timeout = ports_.services.timeout(),
                                              .price = (*model)->price,
                                              .frames = (*model)->frames});
  co_return std::make_unique<Held>(*model, std::move(stack));
}

}  // namespace conductorai::facade
