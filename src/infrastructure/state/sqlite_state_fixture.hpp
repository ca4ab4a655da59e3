#pragma once
// What the tests of SqliteStateManager share: a state directory, and a disk that can be too small.

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "infrastructure/state/sqlite_state_manager.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::test {

class SqliteState : public testing::Test {
 protected:
  SqliteState() {
    std::string pattern = std::filesystem::temp_directory_path() / "state-XXXXXX";
    dir = ::mkdtemp(pattern.data());
  }
  ~SqliteState() override {
    close();
    std::filesystem::remove_all(dir);
  }

  template <class T>
  T run(task<T> work) {
    return runtime::run_to_end(loop, std::move(work));
  }
  void open(SqliteOptions options = {}) {
    auto opened = SqliteStateManager::open(loop, dir, options);
    ASSERT_TRUE(opened) << to_string(opened.error());
    states = std::move(*opened);
  }
  void close() {
    if (states) run(states->close());
    states.reset();
  }
  Error refused(const std::filesystem::path& where, SqliteOptions options = {}) {
    auto opened = SqliteStateManager::open(loop, where, options);
    return opened ? Error{.code = ErrorCode::internal, .message = "it was opened"} : opened.error();
  }
  void wait_for_file(const char* name) const {
    while (!std::filesystem::exists(dir / name)) ::usleep(1'000);
  }
  [[nodiscard]] std::size_t lines(const char* name) const {
    std::ifstream in(dir / name);
    return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
  }

  runtime::Loop loop;
  std::filesystem::path dir;
  std::unique_ptr<SqliteStateManager> states;
};

/// Files cannot grow past `bytes` while this lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGXFSZ, &ignore, &action_);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit tight{bytes, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    ::sigaction(SIGXFSZ, &action_, nullptr);
  }

 private:
  struct sigaction action_ = {};
  rlimit limit_ = {};
};

}  // namespace conductorai::infrastructure::test
