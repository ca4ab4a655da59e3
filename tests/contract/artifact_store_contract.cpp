#include "tests/contract/artifact_store_contract.hpp"

#include <unistd.h>

#include <fstream>
#include <iterator>

namespace conductorai::test {
namespace {

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

TEST_P(ArtifactStoreContract, ReturnsTheBytesItWasGiven) {
  const std::string bytes("a\0b\xff\n", 5);
  auto saved = run(store->save(record("wf-a", "stdout"), bytes));
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->size, 5);
  EXPECT_EQ(run(store->get(saved->digest)).value(), bytes);
  EXPECT_EQ(run(store->get(saved->digest)).value(), bytes);  // now from a cache, where there is one
}

TEST_P(ArtifactStoreContract, NamesBytesByTheirSha256) {
  auto saved = run(store->save(record("wf-a", "empty"), ""));
  EXPECT_EQ(saved.value().digest.value, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(run(store->get(saved->digest)).value(), "");
}

TEST_P(ArtifactStoreContract, StreamsFilesInAndOut) {
  std::string big;
  for (int i = 0; i < 300'000; ++i) big += std::to_string(i);
  write(folder / "in", big);
  auto saved = run(store->save_file(record("wf-a", "big"), folder / "in"));
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->size, static_cast<std::int64_t>(big.size()));
  EXPECT_EQ(run(store->save(record("wf-a", "same"), big)).value().digest, saved->digest);
  EXPECT_TRUE(run(store->get_to_file(saved->digest, folder / "out")));
  EXPECT_EQ(contents(folder / "out"), big);
  EXPECT_EQ(run(store->get(saved->digest)).value(), big);
}

TEST_P(ArtifactStoreContract, TakesRegularFilesOnly) {
  EXPECT_EQ(code(run(store->save_file(record("wf-a", "x"), folder / "missing"))), ErrorCode::not_found);
  EXPECT_EQ(code(run(store->save_file(record("wf-a", "x"), folder))), ErrorCode::invalid_argument);
  write(folder / "secret", "s");
  std::filesystem::create_symlink(folder / "secret", folder / "link");
  EXPECT_EQ(code(run(store->save_file(record("wf-a", "x"), folder / "link"))), ErrorCode::invalid_argument);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(code(run(store->save_file(record("wf-a", "x"), folder / "pipe"))), ErrorCode::invalid_argument);
}

TEST_P(ArtifactStoreContract, SaysThatItHasNoSuchBytes) {
  for (const std::string& name : {"sha256:" + std::string(64, '0'), std::string(), std::string("sha256:../../../../etc/passwd"),
                                  "md5:" + std::string(64, '0'), "sha256:" + std::string(64, 'A')}) {
    EXPECT_EQ(code(run(store->get(Digest(name)))), ErrorCode::not_found) << name;
    EXPECT_EQ(code(run(store->get_to_file(Digest(name), folder / "out"))), ErrorCode::not_found) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

TEST_P(ArtifactStoreContract, FindsRecordsByEachOfTheirMarks) {
  auto first = record("wf-a", "stdout", 3);
  auto second = record("wf-a", "stderr", 4);
  second.task = TaskId("test");
  second.agent = AgentId("test-01");
  second.type = "report";
  auto third = record("wf/../b", "stdout", 1);
  for (const auto& each : {first, second, third}) EXPECT_TRUE(run(store->save(each, each.name)));
  const auto names = [&](ArtifactQuery query) {
    std::string text;
    for (const ArtifactRecord& found : run(store->query(std::move(query))).value()) text += found.workflow.value + ":" + found.name + " ";
    return text;
  };
  EXPECT_EQ(names({}), "wf/../b:stdout wf-a:stdout wf-a:stderr ");  // oldest first
  EXPECT_EQ(names({.workflow = WorkflowId("wf-a")}), "wf-a:stdout wf-a:stderr ");
  EXPECT_EQ(names({.task = TaskId("test")}), "wf-a:stderr ");
  EXPECT_EQ(names({.agent = AgentId("test-01")}), "wf-a:stderr ");
  EXPECT_EQ(names({.type = "log"}), "wf/../b:stdout wf-a:stdout ");
  EXPECT_EQ(names({.workflow = WorkflowId("wf-a"), .name = "stdout"}), "wf-a:stdout ");
  EXPECT_EQ(names({.limit = 1}), "wf/../b:stdout ");
  EXPECT_EQ(names({.workflow = WorkflowId("wf-none")}), "");
  auto found = run(store->query({.type = "report"})).value().at(0);
  second.digest = found.digest;
  second.size = 6;
  EXPECT_EQ(found, second);
}

TEST_P(ArtifactStoreContract, ARecordSavedAgainIsTheSameRecord) {
  const auto first = run(store->save(record("wf-a", "stdout", 1), "x")).value();
  EXPECT_EQ(run(store->save(record("wf-a", "stdout", 9), "x")).value(), first);
  EXPECT_NE(run(store->save(record("wf-a", "stdout", 9), "y")).value(), first);
  EXPECT_EQ(run(store->query({})).value().size(), 2U);
}

TEST_P(ArtifactStoreContract, AnArtifactBelongsToAWorkflow) {
  EXPECT_EQ(code(run(store->save(record("", "x"), "x"))), ErrorCode::invalid_argument);
}

TEST_P(ArtifactStoreContract, RemovesAWorkflowButNotWhatOthersPointTo) {
  const auto shared = run(store->save(record("wf-a", "shared"), "shared")).value();
  EXPECT_TRUE(run(store->save(record("wf-b", "shared"), "shared")));
  const auto own = run(store->save(record("wf-a", "own"), "12345")).value();
  EXPECT_TRUE(run(store->save(record("wf-a", "own again"), "12345")));
  EXPECT_EQ(run(store->get(own.digest)).value(), "12345");
  EXPECT_EQ(run(store->remove_workflows({WorkflowId("wf-a")})).value(), 5);
  EXPECT_EQ(code(run(store->get(own.digest))), ErrorCode::not_found);
  EXPECT_EQ(run(store->get(shared.digest)).value(), "shared");
  EXPECT_EQ(run(store->query({})).value().size(), 1U);
  EXPECT_EQ(run(store->remove_workflows({WorkflowId("wf-a")})).value(), 0);
  EXPECT_TRUE(run(store->save(record("wf-a", "own"), "12345")));
  EXPECT_EQ(run(store->get(own.digest)).value(), "12345");
}

TEST_P(ArtifactStoreContract, RemovesBytesThatOnlyTheRemovedWorkflowsShared) {
  const auto shared = run(store->save(record("wf-a", "shared"), "shared")).value();
  EXPECT_TRUE(run(store->save(record("wf-b", "shared"), "shared")));
  EXPECT_TRUE(run(store->save(record("wf-c", "other"), "other")));
  EXPECT_EQ(run(store->remove_workflows({WorkflowId("wf-a"), WorkflowId("wf-b"), WorkflowId("wf-none")})).value(), 6);
  EXPECT_EQ(code(run(store->get(shared.digest))), ErrorCode::not_found);
  EXPECT_EQ(run(store->query({})).value().size(), 1U);
  EXPECT_EQ(run(store->remove_workflows({})).value(), 0);
}

TEST_P(ArtifactStoreContract, RecordsBytesThatAreThereForAnotherWorkflow) {
  const auto first = run(store->save(record("wf-a", "log"), "12345")).value();
  auto wish = record("wf-b", "log");
  wish.digest = first.digest;
  auto second = run(store->refer(wish));
  ASSERT_TRUE(second) << to_string(second.error());
  EXPECT_EQ(second->size, 5);
  EXPECT_EQ(run(store->refer(wish)).value(), *second);
  EXPECT_EQ(run(store->remove_workflows({WorkflowId("wf-a")})).value(), 0);
  EXPECT_EQ(run(store->get(first.digest)).value(), "12345");
  wish.digest = Digest("sha256:" + std::string(64, '0'));
  EXPECT_EQ(code(run(store->refer(wish))), ErrorCode::not_found);
  wish.digest = Digest("sha256:../../../../etc/passwd");
  EXPECT_EQ(code(run(store->refer(wish))), ErrorCode::not_found);
}

task<void> save_into(ArtifactStore& store, ArtifactRecord record, std::string bytes, int& saved) {
  auto result = co_await store.save(std::move(record), std::move(bytes));
  if (result) ++saved;
}

TEST_P(ArtifactStoreContract, SavesManyAtOnce) {
  int saved = 0;
  runtime::TaskScope scope(loop);
  for (int i = 0; i < 60; ++i)
    scope.spawn(save_into(*store, record("wf-" + std::to_string(i % 3), std::to_string(i)), std::to_string(i % 7), saved));
  run(scope.join());
  EXPECT_EQ(saved, 60);
  EXPECT_EQ(run(store->query({})).value().size(), 60U);
}

}  // namespace
}  // namespace conductorai::test
