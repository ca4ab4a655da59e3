#pragma once
// HandOver: from the loop to one other thread. What one turn of the loop gives goes over together: the first of many would otherwise wake
// that thread alone.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "conductorai/task.hpp"

namespace conductorai::runtime {

/// Items are borrowed: each lives until the other thread is done with it.
template <class T>
class HandOver {
 public:
  using Batch = std::vector<T*>;

  /// On the loop's thread.
  void give(Executor& executor, T& item) {
    given_.push_back(&item);
    if (given_.size() > 1) return;
    executor.post_external([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) flush();
    });
  }
  /// On the loop's thread: what was given goes over, and nothing after it.
  void close() {
    flush();
    {
      std::scoped_lock lock(mutex_);
      closed_ = true;
    }
    wake_.notify_one();
  }

  /// On the other thread: waits for items and takes all. An empty batch: none came within `patience`. False: it is closed, and all were
  /// taken. REQUIRES: `batch` is empty.
  bool take(Batch& batch, std::optional<std::chrono::milliseconds> patience = std::nullopt) {
    std::unique_lock lock(mutex_);
    const auto something = [&] { return closed_ || !queue_.empty(); };
    if (!patience)
      wake_.wait(lock, something);
    else if (!wake_.wait_for(lock, *patience, something))
      return true;
    batch.swap(queue_);
    return !batch.empty();
  }

 private:
  void flush() {
    {
      std::scoped_lock lock(mutex_);
      if (queue_.empty())
        queue_.swap(given_);
      else
        queue_.insert(queue_.end(), given_.begin(), given_.end());
    }
    given_.clear();
    wake_.notify_one();
  }

  Batch given_;  // the loop's
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::mutex mutex_;
  std::condition_variable wake_;
  Batch queue_;
  bool closed_ = false;
};

}  // namespace conductorai::runtime
