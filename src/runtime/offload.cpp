#include "runtime/offload.hpp"

#include <chrono>

namespace conductorai::runtime {

namespace {
constexpr std::chrono::milliseconds kShort{1};  // a job that is done waits no longer for those after it
}

Worker::Worker() : thread_([this] { loop(); }) {}

Worker::~Worker() {
  jobs_.close();
  thread_.join();
}

void Worker::loop() {
  for (Batch batch; jobs_.take(batch); batch.clear()) perform(batch);
}

void Worker::perform(const Batch& batch) {
  Batch done;
  auto since = std::chrono::steady_clock::now();
  for (Job* job : batch) {
    job->perform();
    done.push_back(job);
    const auto now = std::chrono::steady_clock::now();
    if (job != batch.back() && now - since < kShort) continue;
    complete(std::exchange(done, {}));
    since = now;
  }
}

void Worker::complete(Batch done) {
  Executor& executor = *done.front()->executor;
  executor.post_external([&executor, done = std::move(done)] {
    for (const Job* job : done) executor.post(job->waiting);
  });
}

}  // namespace conductorai::runtime
