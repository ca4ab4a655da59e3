#include <stdlib.h>

#include <filesystem>

#include "infrastructure/state/memory_state_manager.hpp"
#include "infrastructure/state/sqlite_state_manager.hpp"
#include "tests/contract/state_manager_contract.hpp"

namespace conductorai::test {
namespace {

class MemoryStateStore final : public StateStore {
 public:
  std::unique_ptr<StateManager> attach() override { return std::make_unique<infrastructure::MemoryStateManager>(store_); }
  void crash(std::unique_ptr<StateManager> manager) override { manager.reset(); }

 private:
  std::shared_ptr<infrastructure::MemoryStore> store_ = infrastructure::make_memory_store();
};

class SqliteStateStore final : public StateStore {
 public:
  explicit SqliteStateStore(runtime::Loop& loop) : loop_(loop) {
    std::string pattern = std::filesystem::temp_directory_path() / "state-contract-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~SqliteStateStore() override { std::filesystem::remove_all(directory_); }
  std::unique_ptr<StateManager> attach() override {
    auto opened = infrastructure::SqliteStateManager::open(loop_, directory_);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return std::move(*opened);
  }
  void crash(std::unique_ptr<StateManager> manager) override {
    runtime::run_to_end(loop_, static_cast<infrastructure::SqliteStateManager&>(*manager).close());
  }

 private:
  runtime::Loop& loop_;
  std::filesystem::path directory_;
};

const auto kAdapters =
    testing::Values(StateAdapter{"Memory", [](runtime::Loop&) { return std::make_unique<MemoryStateStore>(); }},
                    StateAdapter{"Sqlite", [](runtime::Loop& loop) { return std::make_unique<SqliteStateStore>(loop); }});
constexpr auto kName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Adapters, StateManagerContract, kAdapters, kName);
INSTANTIATE_TEST_SUITE_P(Adapters, StateManagerSteps, kAdapters, kName);
INSTANTIATE_TEST_SUITE_P(Adapters, StateManagerRetention, kAdapters, kName);

}  // namespace
}  // namespace conductorai::test
