#include "runtime/offload.hpp"

#include <chrono>

#include "base/assert.hpp"

namespace conductorai::runtime {

namespace {
constexpr std::chrono::milliseconds kShort{1};  // a job that is done waits no longer for those after it
}

Worker::Worker() : thread_([this] { loop(); }) {}

Worker::~Worker() {
  hand_over();
  {
    std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Worker::take(Job& job, Executor& executor) {
  CONDUCTORAI_ASSERT(executor_ == nullptr || executor_ == &executor, "a worker serves one loop");
  executor_ = &executor;
  taken_.push_back(&job);
  if (taken_.size() == 1)
    executor.post_external([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) hand_over();
    });
}

void Worker::hand_over() {
  if (taken_.empty()) return;
  {
    std::scoped_lock lock(mutex_);
    if (queue_.empty())
      queue_.swap(taken_);
    else
      queue_.insert(queue_.end(), taken_.begin(), taken_.end());
  }
  taken_.clear();
  wake_.notify_one();
}

void Worker::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const Batch batch = std::exchange(queue_, {});
    lock.unlock();
    perform(batch);
    lock.lock();
  }
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
  executor_->post_external([executor = executor_, done = std::move(done)] {
    for (const Job* job : done) executor->post(job->waiting);
  });
}

}  // namespace conductorai::runtime
