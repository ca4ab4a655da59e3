#include "infrastructure/artifacts/file_artifact_store.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "infrastructure/artifacts/read_cache.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {
namespace {

class FileArtifacts : public testing::Test {
 protected:
  FileArtifacts() {
    std::string pattern = std::filesystem::temp_directory_path() / "artifacts-XXXXXX";
    state = ::mkdtemp(pattern.data());
  }
  ~FileArtifacts() override { std::filesystem::remove_all(state); }

  std::unique_ptr<FileArtifactStore> open(FileArtifactOptions options = {}) {
    return std::move(FileArtifactStore::open(state, options).value());
  }
  template <class T>
  T run(task<T> work) {
    return runtime::run_to_end(loop, std::move(work));
  }
  static ArtifactRecord record(const std::string& name) {
    ArtifactRecord made;
    made.workflow = WorkflowId("wf-a");
    made.name = name;
    return made;
  }
  std::filesystem::path path_of(const Digest& digest) const {
    return state / "artifacts" / "sha256" / digest.value.substr(7, 2) / digest.value.substr(9);
  }
  std::filesystem::path records() const { return state / "artifacts" / "records" / "wf-a.jsonl"; }

  runtime::Loop loop;
  std::filesystem::path state;
};

TEST_F(FileArtifacts, RemovalThatWasKilledHalfWayIsFinishedByTheNext) {
  auto store = open();
  const auto own = run(store->save(record("own"), "own")).value();
  auto of_another = record("shared");
  const auto shared = run(store->save(of_another, "shared")).value();
  of_another.workflow = WorkflowId("wf-b");
  EXPECT_TRUE(run(store->save(of_another, "shared")));
  std::filesystem::rename(records(), state / "artifacts" / "records" / "wf-a.retired");  // as a crash leaves it
  EXPECT_EQ(run(store->query({})).value().size(), 1U);
  EXPECT_EQ(run(store->get(own.digest)).value(), "own");
  EXPECT_EQ(run(store->remove_workflows({WorkflowId("wf-a")})).value(), 3);
  EXPECT_FALSE(std::filesystem::exists(path_of(own.digest)));
  EXPECT_TRUE(std::filesystem::exists(path_of(shared.digest)));
  EXPECT_FALSE(std::filesystem::exists(state / "artifacts" / "records" / "wf-a.retired"));
}

TEST_F(FileArtifacts, AreThereAfterAReopenAndInAnotherProcess) {
  auto first = open();
  auto second = open();
  EXPECT_EQ(run(second->query({})).value().size(), 0U);
  const auto saved = run(first->save(record("a"), "bytes")).value();
  EXPECT_EQ(run(second->query({})).value(), std::vector{saved});
  EXPECT_EQ(run(second->get(saved.digest)).value(), "bytes");
  first.reset();
  second.reset();
  EXPECT_EQ(run(open()->query({})).value(), std::vector{saved});
}

TEST_F(FileArtifacts, AreStoredOnceWhoeverSavesThem) {
  const auto saved = run(open()->save(record("a"), "bytes")).value();
  const auto before = std::filesystem::last_write_time(path_of(saved.digest));
  EXPECT_TRUE(run(open()->save(record("b"), "bytes")));
  EXPECT_EQ(std::filesystem::last_write_time(path_of(saved.digest)), before);
  EXPECT_TRUE(std::filesystem::is_empty(state / "artifacts" / "tmp"));
}

TEST_F(FileArtifacts, SayThatBytesNoLongerMatchTheirDigest) {
  auto store = open();
  const auto saved = run(store->save(record("a"), "bytes")).value();
  std::ofstream(path_of(saved.digest)) << "bytez";
  auto got = run(store->get(saved.digest));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::data_corrupted);
  auto streamed = run(store->get_to_file(saved.digest, state / "out"));
  ASSERT_FALSE(streamed);
  EXPECT_EQ(streamed.error().code, ErrorCode::data_corrupted);
  EXPECT_FALSE(std::filesystem::exists(state / "out"));
}

TEST_F(FileArtifacts, CutShortAreWrittenAgain) {
  auto store = open();
  const auto saved = run(store->save(record("a"), "bytes")).value();
  std::ofstream(path_of(saved.digest), std::ios::trunc) << "by";
  EXPECT_TRUE(run(store->save(record("b"), "bytes")));
  EXPECT_EQ(run(store->get(saved.digest)).value(), "bytes");
}

TEST_F(FileArtifacts, RecordsOutliveATornLine) {
  EXPECT_TRUE(run(open()->save(record("a"), "1")));
  std::ofstream(records(), std::ios::app) << R"({"workflow":"wf-a","na)";  // a crash in mid-write
  auto store = open();
  EXPECT_EQ(run(store->query({})).value().size(), 1U);
  EXPECT_TRUE(run(store->save(record("b"), "2")));
  EXPECT_EQ(run(store->query({})).value().size(), 2U);
  EXPECT_EQ(run(open()->query({})).value().size(), 2U);
}

TEST_F(FileArtifacts, AFullDiskIsAnErrorAndLeavesNothingHalfWritten) {
  auto store = open();
  EXPECT_TRUE(run(store->save(record("before"), "small")));
  struct sigaction ignore = {};
  struct sigaction old_action = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignore, &old_action);
  rlimit old_limit = {};
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  const rlimit tight{4'096, old_limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  auto refused = run(store->save(record("big"), std::string(100'000, 'x')));
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  ::sigaction(SIGXFSZ, &old_action, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(std::filesystem::is_empty(state / "artifacts" / "tmp"));
  EXPECT_EQ(run(store->query({})).value().size(), 1U);
  EXPECT_TRUE(run(store->save(record("big"), std::string(100'000, 'x'))));
}

TEST_F(FileArtifacts, CannotBeKeptWhereThereIsAFile) {
  std::ofstream(state / "file") << "x";
  auto opened = FileArtifactStore::open(state / "file");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
}

TEST_F(FileArtifacts, SurviveKillsInMidSave) {
  for (int kill = 0; kill < 8; ++kill) {
    const pid_t child = ::fork();
    if (child == 0) {
      runtime::Loop own;
      auto store = std::move(FileArtifactStore::open(state).value());
      for (int i = 0;; ++i) {
        const std::string name = std::to_string(kill) + "/" + std::to_string(i);
        if (!runtime::run_to_end(own, store->save(record(name), std::string(5'000, 'x') + name))) ::_exit(1);
      }
    }
    std::size_t seen = 0;
    auto store = open();
    const std::size_t before = run(store->query({})).value().size();
    while (seen < before + 3) seen = run(store->query({})).value().size();
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  auto store = open();
  for (const ArtifactRecord& each : run(store->query({.limit = 0})).value())
    EXPECT_EQ(run(store->get(each.digest)).value_or("lost").substr(5'000), each.name);
}

TEST(ReadCache, KeepsWhatWasReadLastWithinItsBytes) {
  ReadCache cache(100);
  cache.put(Digest("a"), std::string(25, 'a'));
  for (const char* name : {"b", "c", "d"}) cache.put(Digest(name), std::string(25, 'x'));
  EXPECT_NE(cache.find(Digest("a")), nullptr);  // and is the latest now
  cache.put(Digest("e"), std::string(25, 'x'));
  EXPECT_EQ(cache.find(Digest("b")), nullptr);
  EXPECT_NE(cache.find(Digest("a")), nullptr);
  cache.put(Digest("huge"), std::string(26, 'x'));
  EXPECT_EQ(cache.find(Digest("huge")), nullptr);
  EXPECT_LE(cache.bytes(), 100);
}

}  // namespace
}  // namespace conductorai::infrastructure
