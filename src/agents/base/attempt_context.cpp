#include "agents/base/attempt_context.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "core/budget.hpp"
#include "core/codec.hpp"
#include "core/json.hpp"
#include "core/json_codec.hpp"
#include "runtime/persist.hpp"
#include "runtime/scope.hpp"

namespace conductorai::agents {
namespace {

std::vector<std::string> secrets_of(const HostServices& services, const WorkflowDefinition& workflow) {
  std::vector<std::string> secrets = secrets_in(services.host_environment, workflow.env);
  if (services.secrets) secrets.insert(secrets.end(), services.secrets->values().begin(), services.secrets->values().end());
  return secrets;
}

[[gnu::noinline]] std::unique_ptr<Result<LLMResponse>> unasked(std::unique_ptr<Error> refused) {
  return std::make_unique<Result<LLMResponse>>(fail(std::move(*refused)));
}

AnswerPiece piece_of(const AttemptId& id, const std::string& ordinal) {
  return {.workflow = id.workflow,
          .task = id.task,
          .call = std::to_string(id.round) + "/" + std::to_string(id.attempt) + "/" + ordinal,
          .text = {}};
}

}  // namespace

AttemptContext::AttemptContext(const HostServices& services, std::shared_ptr<const TaskAssignment> assignment, const AgentId& agent,
                               const AgentType& type, std::function<void(std::string)> progress)
    : services_(services), assignment_(std::move(assignment)), agent_(agent), type_(type), progress_(std::move(progress)), mask_({}) {}

AttemptContext::~AttemptContext() = default;

// Anew when a secret has become known since: an attempt beside this one may have read it.
const SecretMask& AttemptContext::mask() {
  const std::size_t booked = services_.secrets ? services_.secrets->values().size() : 0;
  if (booked != secrets_booked_) {
    secrets_booked_ = booked;
    mask_ = SecretMask(secrets_of(services_, *assignment_->workflow));
  }
  return mask_;
}

Shared<TaskResult> AttemptContext::without_secrets(Shared<TaskResult> result) {
  const SecretMask& known = mask();
  if (known.empty()) return result;
  const std::string text = core::write_json(*result);
  if (known.text(text) == text) return result;
  const auto value = core::parse_json(text);
  auto masked = value ? core::read_json<TaskResult>(core::to_json(known.value(*value))) : fail(value.error());
  if (masked) return std::move(*masked);
  TaskResult withheld;  // an id or a number of it is a secret: nothing of it can be shown
  withheld.id = result->id;
  withheld.agent = result->agent;
  withheld.usage = result->usage;
  withheld.status = ResultStatus::failed;
  withheld.error = Error{.code = ErrorCode::internal, .message = "the result of the attempt cannot be shown without a secret"};
  return withheld;
}

void AttemptContext::progress(std::string text) {
  if (progress_) progress_(mask().text(std::move(text)));
}

task<Result<LLMResponse>> AttemptContext::ask(LLMRequest request) {
  return asked(std::make_unique<LLMRequest>(std::move(request)));
}

// Many wait here at the same time, and a frame keeps room for all that its own statements make: these are apart and not inlined.
task<Result<LLMResponse>> AttemptContext::asked(std::unique_ptr<LLMRequest> request) {
  const std::string ordinal = next_ordinal();
  if (llm_ == nullptr)
    if (auto refused = co_await open_llm()) co_return unasked(std::move(refused));
  const auto shown = std::make_shared<SecretMask::Stream>(mask());
  auto call = send(std::move(request), ordinal, shown);
  auto answer = co_await std::move(call).boxed();
  show_end(ordinal, *shown);
  co_return answer;
}

task<std::unique_ptr<Error>> AttemptContext::open_llm() {
  auto made = co_await services_.llm(assignment_);
  if (!made) co_return std::make_unique<Error>(std::move(made.error()));
  llm_ = std::move(*made);
  co_return nullptr;
}

[[gnu::noinline]] task<Result<LLMResponse>> AttemptContext::send(std::unique_ptr<LLMRequest> request, const std::string& ordinal,
                                                                 const std::shared_ptr<SecretMask::Stream>& shown) {
  request->caller = {.attempt = assignment_->id, .agent_type = type_.str(), .ordinal = ordinal};
  progress("asking the model");
  if (services_.on_text) request->on_text = [this, ordinal, shown](std::string_view piece) { show(ordinal, shown->feed(piece, false)); };
  return llm_->chat(std::move(*request));
}

[[gnu::noinline]] void AttemptContext::show_end(const std::string& ordinal, SecretMask::Stream& shown) {
  if (!services_.on_text) return;
  show(ordinal, shown.feed({}, true));
  services_.on_text(piece_of(assignment_->id, ordinal));
}

void AttemptContext::show(const std::string& ordinal, std::string text) {
  if (text.empty()) return;
  AnswerPiece piece = piece_of(assignment_->id, ordinal);
  piece.text = std::move(text);
  services_.on_text(std::move(piece));
}

task<Result<Workspace*>> AttemptContext::workspace() {
  if (workspace_ != nullptr) co_return workspace_.get();
  (void)make_sandbox();  // it gets ready while the files are laid out; where it cannot be had, the first command says so
  auto repository = co_await services_.repository(assignment_);
  if (!repository) co_return fail(repository.error());
  auto opened =
      co_await services_.workspaces.open(assignment_->id, *repository, assignment_->base, assignment_->workflow->workspace.protected_paths);
  if (!opened) co_return fail(opened.error());
  repository_ = std::move(*repository);
  workspace_ = std::move(*opened);
  co_return workspace_.get();
}

Result<void> AttemptContext::make_sandbox() {
  if (sandbox_ != nullptr) return {};
  auto made = services_.sandbox(assignment_->workflow->sandbox);
  if (!made) return fail(made.error());
  sandbox_ = std::move(*made);
  return {};
}

ArtifactRecord AttemptContext::record_of(std::string name, std::string type) const {
  const AttemptId& id = assignment_->id;
  return {.workflow = id.workflow,
          .task = id.task,
          .agent = agent_,
          .round = id.round,
          .attempt = id.attempt,
          .type = std::move(type),
          .name = std::move(name),
          .digest = {},
          .size = 0,
          .at = services_.clock.now()};
}

task<Result<ArtifactRef>> AttemptContext::save_artifact(std::string name, std::string type, std::string bytes) {
  bytes = mask().text(std::move(bytes));
  auto saved = co_await runtime::shielded(services_.artifacts.save(record_of(std::move(name), std::move(type)), std::move(bytes)));
  if (!saved) co_return fail(saved.error());
  ArtifactRef reference{saved->name, saved->type, saved->digest, saved->size};
  saved_.push_back(reference);
  co_return reference;
}

task<Result<Usage>> AttemptContext::usage() {
  return steps_ == 0 ? task<Result<Usage>>::done() : used();
}

task<Result<Usage>> AttemptContext::used() const {
  Usage sum;
  StateManager& states = services_.states;
  const AttemptId id = assignment_->id;
  auto records = co_await runtime::persist(services_.clock, [&states, id] { return states.load_steps(id); });
  if (!records) co_return fail(records.error());
  for (const StepRecord& record : *records) sum += record.usage;
  co_return sum;
}

Result<std::filesystem::path> AttemptContext::scratch_folder(std::string purpose) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz234567";
  for (char& c : purpose)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '-';
  std::string name = purpose + "-";
  for (int i = 0; i < 20; ++i) name += kLetters[services_.entropy.next() % 32];
  auto folder = folder_in_scratch(name);
  if (!folder) return folder;
  scratch_names_.push_back(folder->string());
  scratch_names_.push_back(std::move(name));
  return folder;
}

Result<std::filesystem::path> AttemptContext::folder_in_scratch(const std::string& name) {
  std::error_code error;
  if (scratch_.empty()) {
    // Named by the attempt: what a killed process left there goes away when it is taken up again.
    const AttemptId& id = assignment_->id;
    scratch_ = services_.scratch_root /
               ("scratch-" + id.workflow.str() + "." + id.task.str() + "." + std::to_string(id.round) + "." + std::to_string(id.attempt));
    std::filesystem::remove_all(scratch_, error);
    std::filesystem::create_directories(scratch_, error);
    if (!error) ::chmod(scratch_.c_str(), 0711);  // passed through by the sandbox's user, listed by nobody
  }
  auto folder = scratch_ / name;
  if (!error) std::filesystem::create_directory(folder, error);
  if (error) return fail(ErrorCode::resource_exhausted, "cannot make a scratch folder: " + error.message(), folder.string());
  if (services_.hand_over) services_.hand_over(folder);
  return folder;
}

Result<std::filesystem::path> AttemptContext::cache_folder(std::string key, bool shared) {
  for (const std::string& name : assignment_->workflow->env) {
    const auto value = services_.host_environment.find(name);
    if (value != services_.host_environment.end()) key += '\0' + name + '=' + value->second;
  }
  key = core::sha256_hex(key);
  if (shared && services_.cache_folder) return services_.cache_folder(key);
  if (shared) return TaskContext::cache_folder(std::move(key), shared);
  return folder_in_scratch("cache-" + key);
}

std::vector<BudgetScope> AttemptContext::budget_scopes() const {
  return core::budget_scopes(assignment_->limits, assignment_->id, assignment_->task->agent, services_.clock.now());
}

task<void> AttemptContext::close() {
  return workspace_ == nullptr && scratch_.empty() ? task<void>::done() : throw_away();
}

task<void> AttemptContext::throw_away() {
  if (workspace_ != nullptr) {
    workspace_.reset();
    (void)co_await services_.workspaces.close(assignment_->id, repository_);
  }
  std::error_code ignored;
  if (!scratch_.empty()) std::filesystem::remove_all(scratch_, ignored);
}

}  // namespace conductorai::agents
