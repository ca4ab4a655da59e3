#pragma once

#include <cstddef>
#include <deque>

/// The latest samples of a stream, at most `capacity` of them.
class Window {
 public:
  explicit Window(std::size_t capacity);

  void push(double sample);
  std::size_t size() const;

  /// 0 when there are no samples.
  double mean() const;

 private:
  std::size_t capacity_;
  std::deque<double> samples_;
};
