#include "infrastructure/bus/memory_message_bus.hpp"
#include "infrastructure/state/memory_state_manager.hpp"
#include "runtime/sim_loop.hpp"
#include "tests/contract/message_bus_contract.hpp"

namespace conductorai::contract {
namespace {

class MemoryBusUnderTest final : public BusUnderTest {
 public:
  ~MemoryBusUnderTest() override { run_to_end(loop_, bus_.close()); }
  MessageBus& bus() override { return bus_; }
  StateManager& letters() override { return letters_; }
  Executor& executor() override { return loop_; }
  void settle() override { loop_.settle(); }
  void advance(Milliseconds duration) override { loop_.advance(duration); }
  void run_until(std::function<bool()> done) override { loop_.run_until(done); }
  task<Result<void>> requeue(std::int64_t id) override { return bus_.requeue(id); }

 private:
  runtime::SimLoop loop_;
  infrastructure::MemoryStateManager letters_;
  infrastructure::MemoryMessageBus bus_{loop_, loop_, &letters_, {.queue_max = kQueueMax, .handler_tries = kHandlerTries}};
};

INSTANTIATE_TEST_SUITE_P(Memory, MessageBusContract, testing::Values([] { return std::make_unique<MemoryBusUnderTest>(); }),
                         [](const auto&) { return "Memory"; });

}  // namespace
}  // namespace conductorai::contract
