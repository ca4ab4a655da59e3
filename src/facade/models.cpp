#include "facade/models.hpp"

#include <algorithm>

#include "core/budget.hpp"
#include "core/document/document.hpp"
#include "core/provider_name.hpp"
#include "facade/masked_answers.hpp"
#include "integrations/llm/cassette.hpp"
#include "integrations/llm/mock/scripted_llm.hpp"
#include "integrations/llm/mock/stock_llm.hpp"

namespace conductorai::facade {

namespace {

constexpr std::string_view kProviders = "openai, anthropic, mock, mock:FILE, record:FILE or replay:FILE";

constexpr std::size_t kAnswersBytesMax = std::size_t{256} << 20;

Result<std::string> read_file(const std::filesystem::path& path) {
  auto text = core::document::read_file(path, path.string(), kAnswersBytesMax);
  if (!text) text.error().message = "the recorded or scripted answers cannot be read: " + text.error().message;
  return text;
}

/// A script that calls tools wants them offered; one that does not was written without them.
void settle_tools(LlmDefinition& llm, bool calls_tools) {
  if (!llm.tools) llm.tools = calls_tools ? ToolUse::on : ToolUse::off;
}

bool calls_tools(const integrations::ScriptRule& rule) {
  return !rule.reply.tool_calls.empty();
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

Result<std::string> read_answers(LlmDefinition& llm, const std::filesystem::path& file) {
  const std::string kind = core::parse_provider(llm.provider).kind;
  if (kind != "mock" && kind != "replay")
    return fail(ErrorCode::unsupported, "this build has no LLM provider '" + llm.provider + "'", {}, std::string(kProviders));
  auto text = read_file(file);
  if (!text) return text;
  if (kind == "replay") {
    auto cassette = integrations::parse_cassette(*text, file.string());
    if (!cassette) return fail(cassette.error());
    return text;
  }
  auto script = integrations::parse_script(*text, file.string());
  if (!script) return fail(script.error());
  settle_tools(llm, std::ranges::any_of(*script, calls_tools));
  return text;
}

Models::Models(Ports ports) : ports_(std::move(ports)) {
  if (auto options = ports_.services.cache(); options.ttl.count() > 0) {
    options.folder = ports_.state_dir / "llm-cache";
    cache_ = std::make_unique<integrations::AnswerCache>(ports_.clock, std::move(options));
  }
}

task<Result<LlmDefinition>> Models::pin(WorkflowId workflow, LlmDefinition llm, std::filesystem::path project_root) {
  const core::ProviderName name = core::parse_provider(llm.provider);
  if (!name.kind.empty() && name.kind != "mock") settle_tools(llm, true);
  if (name.file.empty() || !llm.script.empty()) {
    if (llm.provider.empty() || llm.provider == "mock" || is_real_provider(llm.provider) || !llm.script.empty()) co_return llm;
    co_return fail(ErrorCode::unsupported, "this build has no LLM provider '" + llm.provider + "'", {}, std::string(kProviders));
  }
  const std::filesystem::path file = project_root / name.file;
  if (name.kind == "record") {
    if (name.recorded.empty())
      co_return fail(ErrorCode::invalid_argument, "nobody says whom to record", file.string(), "record:openai:FILE");
    if (auto started = integrations::start_cassette(file); !started) co_return fail(started.error());
    co_return llm;
  }
  auto text = read_answers(llm, file);
  if (!text) co_return fail(text.error());
  auto kept = co_await ports_.artifacts.save({.workflow = workflow,
                                              .type = name.kind == "mock" ? "script" : "cassette",
                                              .name = file.filename().string(),
                                              .at = ports_.clock.now()},
                                             std::move(*text));
  if (!kept) co_return fail(kept.error());
  llm.script = kept->digest;
  co_return llm;
}

task<Result<std::vector<Models::Model::Link>>> Models::replayed(LlmDefinition llm) {
  auto text = co_await ports_.artifacts.get(llm.script);
  if (!text) co_return fail(text.error());
  auto entries = integrations::parse_cassette(*text, llm.provider);
  if (!entries) co_return fail(entries.error());
  const auto player = std::make_shared<integrations::ReplayProvider>(std::move(*entries), core::parse_provider(llm.provider).file);
  std::vector<Model::Link> chain(llm.fallback.size() + 1,
                                 {.target = {.provider = "replay"}, .provider = player, .price = integrations::Price{}});
  for (std::size_t i = 0; i < llm.fallback.size(); ++i) chain[i + 1].target.model = llm.fallback[i].model;
  co_return chain;
}

Result<void> Models::record(Model& model, const std::filesystem::path& file) const {
  std::vector<std::string> keys;
  for (const Model::Link& link : model.chain) {
    auto key = ports_.services.key(link.target.provider);
    if (!key) return fail(key.error());
    keys.push_back(std::move(*key));
  }
  for (Model::Link& link : model.chain) link.provider = std::make_shared<integrations::RecordingProvider>(link.provider, file, keys);
  return {};
}

task<Result<Models::Model::Link>> Models::first_of(WorkflowId workflow, LlmDefinition llm) {
  if (llm.script.empty()) co_return opened({.provider = core::answering(llm.provider), .model = llm.model}, llm.batch.value_or(false));
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

Result<Models::Model::Link> Models::opened(const LlmTarget& target, bool batched) {
  Model::Link link{.target = target, .provider = {}, .notes = nullptr, .price = integrations::Price{}};
  if (target.provider == "mock") {
    link.provider = std::make_shared<integrations::StockLLM>();
    return link;
  }
  link.batched = batched;
  auto provider = ports_.services.open_model(target.provider, target.model, batched);
  if (!provider) return fail(provider.error());
  auto price = ports_.services.price_of(target.provider, target.model, batched);
  if (!price) return fail(price.error());
  link.provider = std::make_shared<MaskedAnswers>(std::move(*provider), ports_.secrets);
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
  const core::ProviderName name = core::parse_provider(llm.provider);
  auto model = std::make_shared<Model>();
  if (name.kind == "replay") {
    auto chain = co_await replayed(llm);
    if (!chain) co_return fail(chain.error());
    model->chain = std::move(*chain);
  } else {
    auto first = first_of(workflow, llm);
    auto link = co_await std::move(first);
    if (!link) co_return fail(link.error());
    model->chain.push_back(std::move(*link));
    for (const LlmTarget& target : llm.fallback) {
      auto next = opened(target, llm.batch.value_or(false));
      if (!next) co_return fail(next.error());
      model->chain.push_back(std::move(*next));
    }
  }
  if (name.kind == "record")
    if (auto recording = record(*model, ports_.project_root / name.file); !recording) co_return fail(recording.error());
  // Two attempts may have come here at once: the first one's object is everybody's.
  co_return models_.try_emplace(workflow, std::move(model)).first->second;
}

std::vector<integrations::CallTarget> Models::targets_of(const Model& model) {
  std::vector<integrations::CallTarget> targets;
  for (const Model::Link& link : model.chain) {
    const bool real = is_real_provider(link.target.provider);
    const bool direct =
        real && !link.batched;  // batches have limits of their own with the provider, and an open breaker is no reason to wait
    targets.push_back({.name = link.target.provider + (link.target.model.empty() ? "" : " " + link.target.model),
                       .model = link.target.model,
                       .provider = *link.provider,
                       .notes = link.notes,
                       .price = link.price,
                       .frames = real,
                       .breaker = direct ? &ports_.services.breaker(link.target.provider, link.target.model) : nullptr,
                       .limiter = direct ? &ports_.services.limiter(link.target.provider) : nullptr,
                       .cache = real ? cache_.get() : nullptr,
                       .waits = link.batched,
                       .service = real ? ports_.services.describe(link.target) : std::string()});
  }
  return targets;
}

task<Result<std::unique_ptr<BaseLLMProvider>>> Models::open(std::shared_ptr<const TaskAssignment> assignment) {
  auto model = co_await model_of(assignment);
  if (!model) co_return fail(model.error());
  // Limits above the workflow's own come with the attempt.
  if (core::limits_money(assignment->limits))
    for (const Model::Link& link : (*model)->chain)
      if (!link.price) co_return fail(no_price(link.target.provider, link.target.model));
  auto stack = integrations::make_call_stack({.states = ports_.states,
                                              .turns = ports_.turns,
                                              .artifacts = ports_.artifacts,
                                              .clock = ports_.clock,
                                              .entropy = ports_.entropy,
                                              .notice = ports_.notice},
                                             targets_of(**model), {.retries = assignment->workflow->llm.retries},
                                             {.epoch = assignment->epoch,
                                              .limits = assignment->limits,
                                              .agent = {},
                                              .timeout = ports_.services.timeout(),
                                              .follow_ups = assignment->workflow->llm.follow_ups.value_or(LlmDefinition::kFollowUps)});
  co_return std::make_unique<Held>(*model, std::move(stack));
}

}  // namespace conductorai::facade
