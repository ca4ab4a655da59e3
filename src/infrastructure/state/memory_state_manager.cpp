#include "infrastructure/state/memory_state_manager.hpp"

#include <algorithm>

#include "infrastructure/state/change_board.hpp"
#include "infrastructure/state/memory_store.hpp"
#include "infrastructure/state/ownership.hpp"

namespace conductorai::infrastructure {

struct MemoryStateManager::Watched {
  ChangeBoard board;
};

void MemoryStore::changed(const WorkflowId& workflow) {
  for (MemoryStateManager* manager : living) manager->watched_->board.changed(workflow);
}

void MemoryStore::command_arrived() {
  for (MemoryStateManager* manager : living)
    if (manager->listener_) manager->listener_();
}

std::shared_ptr<MemoryStore> make_memory_store() {
  return std::make_shared<MemoryStore>();
}

MemoryStateManager::MemoryStateManager(std::shared_ptr<MemoryStore> store)
    : store_(std::move(store)), watched_(std::make_unique<Watched>()) {
  store_->living.insert(this);
}

MemoryStateManager::~MemoryStateManager() {
  store_->living.erase(this);
  // A later manager may be given this one's address: it must not inherit what a dead one owned.
  static const char dead = 0;
  for (auto& [id, workflow] : store_->workflows)
    if (workflow.owner == this) workflow.owner = reinterpret_cast<const MemoryStateManager*>(&dead);
}

task<Result<Ownership>> MemoryStateManager::claim(WorkflowId workflow, std::string owner) {
  auto [entry, fresh] = store_->workflows.try_emplace(workflow);
  MemoryWorkflow& stored = entry->second;
  if (fresh) stored.epoch = 0;
  if (stored.owner != nullptr && store_->living.contains(const_cast<MemoryStateManager*>(stored.owner)))
    co_return fail(ErrorCode::conflict, "this workflow is owned by a living process", stored.summary.owner);
  ++stored.epoch;
  stored.owner = this;
  stored.summary.owner = std::move(owner);
  store_->changed(workflow);
  co_return Ownership{std::move(workflow), stored.epoch};
}

task<Result<bool>> MemoryStateManager::release(WorkflowId workflow) {
  auto found = store_->workflows.find(workflow);
  if (found == store_->workflows.end() || found->second.owner != this) co_return false;
  found->second.owner = nullptr;
  found->second.summary.owner.clear();
  store_->changed(workflow);
  co_return std::ranges::any_of(store_->commands, [&](const auto& command) { return command.second.workflow == workflow; });
}

namespace {
task<Result<void>> refused(Error error) {
  co_return fail(std::move(error));
}
}  // namespace

task<Result<void>> MemoryStateManager::append(AppendRequest request) {
  JournalRow& row = request.row;
  auto [entry, fresh] = store_->workflows.try_emplace(row.workflow);
  MemoryWorkflow& stored = entry->second;
  if (auto checked = check_append(row, fresh ? std::nullopt : std::optional(Position{stored.epoch, stored.summary.last_seq})); !checked) {
    if (fresh) store_->workflows.erase(entry);
    return refused(std::move(checked.error()));
  }
  std::string owner = std::move(stored.summary.owner);
  stored.summary = std::move(request.summary);
  if (fresh) {
    stored.owner = this;
    if (stored.summary.owner.empty()) stored.summary.owner = this_process();
  } else {
    stored.summary.owner = std::move(owner);
  }
  stored.summary.id = row.workflow;
  stored.summary.last_seq = row.first_seq + row.count - 1;
  row.body.shrink_to_fit();  // it stays
  stored.rows.push_back(std::move(row));
  for (std::int64_t id : request.consumed_commands) store_->commands.erase(id);
  store_->changed(stored.summary.id);
  return task<Result<void>>::done();
}

task<Result<std::vector<JournalRow>>> MemoryStateManager::load(WorkflowId workflow, std::uint64_t from_seq, int limit) {
  std::vector<JournalRow> rows;
  auto found = store_->workflows.find(workflow);
  if (found == store_->workflows.end()) co_return rows;
  const auto& all = found->second.rows;
  auto first = std::ranges::partition_point(all, [&](const JournalRow& row) { return row.first_seq + row.count <= from_seq; });
  for (; first != all.end() && (limit <= 0 || static_cast<int>(rows.size()) < limit); ++first) rows.push_back(*first);
  co_return rows;
}

task<Result<std::vector<WorkflowSummary>>> MemoryStateManager::list(WorkflowFilter filter) {
  std::vector<WorkflowSummary> summaries;
  for (const auto& [id, workflow] : store_->workflows) {
    if (workflow.summary.last_seq == 0 || (!filter.name.empty() && workflow.summary.name != filter.name)) continue;
    if (!filter.statuses.empty() && std::ranges::find(filter.statuses, workflow.summary.status) == filter.statuses.end()) continue;
    summaries.push_back(store_->summary_of(workflow));
  }
  const auto newer = [](const WorkflowSummary& a, const WorkflowSummary& b) {
    return std::tie(a.created_at, a.id) > std::tie(b.created_at, b.id);
  };
  std::ranges::sort(summaries, newer);
  if (!filter.after.empty()) {
    auto after = store_->workflows.find(WorkflowId(filter.after));
    if (after == store_->workflows.end()) co_return std::vector<WorkflowSummary>{};
    std::erase_if(summaries, [&](const WorkflowSummary& summary) { return !newer(after->second.summary, summary); });
  }
  if (filter.limit > 0 && summaries.size() > static_cast<std::size_t>(filter.limit)) summaries.resize(filter.limit);
  co_return summaries;
}

task<Result<WorkflowSummary>> MemoryStateManager::get(WorkflowId workflow) {
  auto found = store_->workflows.find(workflow);
  if (found == store_->workflows.end() || found->second.summary.last_seq == 0)
    co_return fail(ErrorCode::not_found, "no such workflow", workflow.value);
  co_return store_->summary_of(found->second);
}

task<Result<void>> MemoryStateManager::wait_for_change(WorkflowId workflow) {
  return watched_->board.wait(std::move(workflow));
}

task<Result<StepBegun>> MemoryStateManager::begin_step(StepBegin step) {
  co_return infrastructure::begin_step(store_->steps, step);
}

task<Result<void>> MemoryStateManager::finish_step(StepFinish step) {
  co_return infrastructure::finish_step(store_->steps, step);
}

task<Result<std::vector<StepRecord>>> MemoryStateManager::load_steps(AttemptId attempt) {
  std::vector<StepRecord> records;
  for (StoredStep& step : store_->steps.all_of(attempt)) records.push_back(std::move(step.record));
  co_return records;
}

task<Result<std::vector<StepRecord>>> MemoryStateManager::list_steps(WorkflowId workflow) {
  co_return store_->steps.records_of(workflow);
}

task<Result<BudgetUse>> MemoryStateManager::budget_use(std::string scope) {
  co_return store_->steps.use_of(scope);
}

task<Result<std::int64_t>> MemoryStateManager::post_command(WorkflowId workflow, std::string body) {
  if (auto known = co_await get(workflow); !known) co_return fail(known.error());
  const std::int64_t id = ++store_->last_command;
  store_->commands.emplace(id, InboxCommand{id, std::move(workflow), std::move(body)});
  store_->command_arrived();
  co_return id;
}

task<Result<std::vector<InboxCommand>>> MemoryStateManager::commands(WorkflowId workflow) {
  std::vector<InboxCommand> waiting;
  for (const auto& [id, command] : store_->commands)
    if (workflow.empty() || command.workflow == workflow) waiting.push_back(command);
  co_return waiting;
}

task<Result<void>> MemoryStateManager::discard_commands(std::vector<std::int64_t> ids) {
  for (std::int64_t id : ids) store_->commands.erase(id);
  co_return Result<void>{};
}

void MemoryStateManager::on_command(std::function<void()> listener) {
  listener_ = std::move(listener);
}

task<Result<std::int64_t>> MemoryStateManager::put_dead_letter(DeadLetter letter) {
  letter.id = ++store_->last_dead_letter;
  const std::int64_t id = letter.id;
  store_->dead_letters.emplace(id, std::move(letter));
  co_return id;
}

task<Result<std::vector<DeadLetter>>> MemoryStateManager::dead_letters() {
  std::vector<DeadLetter> letters;
  for (const auto& [id, letter] : store_->dead_letters) letters.push_back(letter);
  co_return letters;
}

task<Result<DeadLetter>> MemoryStateManager::take_dead_letter(std::int64_t id) {
  auto node = store_->dead_letters.extract(id);
  if (node.empty()) co_return fail(ErrorCode::not_found, "no such dead letter", std::to_string(id));
  co_return std::move(node.mapped());
}

task<Result<void>> MemoryStateManager::save_agent_states(std::vector<AgentState> states) {
  for (AgentState& state : states) {
    const AgentId id = state.id;
    store_->agents.insert_or_assign(id, std::move(state));
  }
  co_return Result<void>{};
}

task<Result<std::vector<AgentState>>> MemoryStateManager::agent_states() {
  std::vector<AgentState> states;
  for (const auto& [id, state] : store_->agents) states.push_back(state);
  co_return states;
}

task<Result<void>> MemoryStateManager::remove_agent_state(AgentId agent) {
  store_->agents.erase(agent);
  co_return Result<void>{};
}

task<Result<void>> MemoryStateManager::remove_workflow(WorkflowId workflow) {
  auto found = store_->workflows.find(workflow);
  if (found == store_->workflows.end() || found->second.summary.last_seq == 0)
    co_return fail(ErrorCode::not_found, "no such workflow", workflow.value);
  if (auto may = check_removal(found->second.summary); !may) co_return may;
  charge_hidden(store_->steps, workflow);
  store_->steps.remove(workflow);
  store_->workflows.erase(found);
  std::erase_if(store_->commands, [&](const auto& entry) { return entry.second.workflow == workflow; });
  std::erase_if(store_->dead_letters, [&](const auto& entry) { return entry.second.workflow == workflow; });
  store_->removals.insert(workflow);
  store_->changed(workflow);
  co_return Result<void>{};
}

task<Result<std::vector<WorkflowId>>> MemoryStateManager::removals() {
  co_return std::vector<WorkflowId>(store_->removals.begin(), store_->removals.end());
}

task<Result<void>> MemoryStateManager::finish_removal(WorkflowId workflow) {
  store_->removals.erase(workflow);
  co_return Result<void>{};
}

task<Result<std::int64_t>> MemoryStateManager::compact() {
  co_return 0;
}

}  // namespace conductorai::infrastructure
