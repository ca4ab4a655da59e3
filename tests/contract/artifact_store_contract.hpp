#pragma once
// The contract suite of ArtifactStore. An adapter joins with one entry in artifact_store_adapters.cpp.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "conductorai/artifact_store.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::test {

struct ArtifactAdapter {
  std::string name;
  std::function<std::unique_ptr<ArtifactStore>(const std::filesystem::path& folder)> make;
};

class ArtifactStoreContract : public testing::TestWithParam<ArtifactAdapter> {
 protected:
  ArtifactStoreContract() : store(GetParam().make(folder / "state")) {}
  ~ArtifactStoreContract() override {
    store.reset();
    std::filesystem::remove_all(folder);
  }

  template <class T>
  T run(task<T> work) {
    return runtime::run_to_end(loop, std::move(work));
  }
  static std::filesystem::path fresh_folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "artifact-contract-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  static ArtifactRecord record(const std::string& workflow, const std::string& name, std::int64_t at = 1) {
    ArtifactRecord made;
    made.workflow = WorkflowId(workflow);
    made.task = TaskId("code");
    made.agent = AgentId("coding-01");
    made.round = 1;
    made.attempt = 2;
    made.type = "log";
    made.name = name;
    made.at = Timestamp(Milliseconds(1'767'225'600'000 + at));
    return made;
  }
  template <class T>
  static ErrorCode code(const Result<T>& result) {
    return result ? ErrorCode::internal : result.error().code;
  }

  runtime::Loop loop;
  std::filesystem::path folder = fresh_folder();
  std::unique_ptr<ArtifactStore> store;
};

}  // namespace conductorai::test
