#pragma once
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "conductorai/ids.hpp"

namespace conductorai::infrastructure {

/// Bytes read lately, at most `capacity` of them; what would fill more than a quarter of it is not kept.
class ReadCache {
 public:
  explicit ReadCache(std::int64_t capacity) : capacity_(capacity) {}

  /// Null when it is not here.
  [[nodiscard]] const std::string* find(const Digest& digest) {
    auto found = by_digest_.find(digest);
    if (found == by_digest_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, found->second);
    return &found->second->bytes;
  }
  void put(const Digest& digest, const std::string& bytes) {
    const auto size = static_cast<std::int64_t>(bytes.size());
    if (size > capacity_ / 4 || by_digest_.contains(digest)) return;
    recent_.push_front({digest, bytes});
    by_digest_[digest] = recent_.begin();
    bytes_ += size;
    while (bytes_ > capacity_) {
      bytes_ -= static_cast<std::int64_t>(recent_.back().bytes.size());
      by_digest_.erase(recent_.back().digest);
      recent_.pop_back();
    }
  }
  void clear() {
    by_digest_.clear();
    recent_.clear();
    bytes_ = 0;
  }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Digest digest;
    std::string bytes;
  };
  std::int64_t capacity_;
  std::int64_t bytes_ = 0;
  std::list<Entry> recent_;
  std::unordered_map<Digest, std::list<Entry>::iterator> by_digest_;
};

}  // namespace conductorai::infrastructure
