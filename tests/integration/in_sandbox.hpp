#pragma once
// A FakeTaskContext whose commands run inside the real sandbox.

#include <memory>

#include "infrastructure/sandbox/sandboxes.hpp"
#include "tests/support/fake_task_context.hpp"

namespace conductorai::testing {

class InSandbox {
 public:
  explicit InSandbox(runtime::Loop& loop);
  /// From now on `context` runs its commands in here. This object outlives it.
  void take(FakeTaskContext& context);

 private:
  TempFolder state_{"state"};
  std::unique_ptr<Sandbox> sandbox_;
};

}  // namespace conductorai::testing

#define SKIP_WITHOUT_SANDBOX(result) \
  if ((result).error && (result).error->code == ErrorCode::unavailable) GTEST_SKIP() << to_string(*(result).error)
