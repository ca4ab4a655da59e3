#pragma once
// Shared<T>: an immutable value that many hold. Copying it costs a pointer, so large values travel through queues and coroutines by it.

#include <memory>
#include <utility>

namespace conductorai {

/// Never null, unless moved from. Equal where the values are.
template <class T>
class Shared {
 public:
  Shared() : value_(std::make_shared<const T>()) {}
  Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}
  /// REQUIRES: not null, and nobody changes it any more.
  explicit Shared(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  operator const T&() const { return *value_; }
  [[nodiscard]] const std::shared_ptr<const T>& pointer() const { return value_; }

  friend bool operator==(const Shared& a, const Shared& b) { return *a.value_ == *b.value_; }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace conductorai
