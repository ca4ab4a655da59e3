#pragma once
// Shared<T>: an immutable value that many hold. Copying it costs a pointer, so large values travel through queues and coroutines by it.
// Rare<T>: one that is mostly absent, and then takes no room.

#include <memory>
#include <optional>
#include <utility>

namespace conductorai {

/// Never null, unless moved from. Equal where the values are.
template <class T>
class Shared {
 public:
  using element_type = T;

  Shared() : value_(nothing()) {}
  Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}
  /// REQUIRES: not null, and nobody changes it any more.
  explicit Shared(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  operator const T&() const { return *value_; }
  [[nodiscard]] const std::shared_ptr<const T>& pointer() const { return value_; }

  friend bool operator==(const Shared& a, const Shared& b) { return a.value_ == b.value_ || *a.value_ == *b.value_; }

 private:
  /// One T{} for all that hold nothing else.
  static const std::shared_ptr<const T>& nothing() {
    static const auto value = std::make_shared<const T>();
    return value;
  }
  std::shared_ptr<const T> value_;
};

/// Equal where both are absent or the values are.
template <class T>
class Rare {
 public:
  using element_type = T;

  Rare() = default;
  Rare(const std::optional<T>& value) : value_(value ? std::make_shared<const T>(*value) : nullptr) {}

  explicit operator bool() const { return value_ != nullptr; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  void reset() { value_.reset(); }

  friend bool operator==(const Rare& a, const Rare& b) {
    return a.value_ == b.value_ || (a.value_ != nullptr && b.value_ != nullptr && *a.value_ == *b.value_);
  }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace conductorai
