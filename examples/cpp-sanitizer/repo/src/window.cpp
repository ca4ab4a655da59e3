#include "window.hpp"

#include <numeric>

Window::Window(std::size_t capacity) : capacity_(capacity) {}

void Window::push(double sample) {
  samples_.push_back(sample);
  if (samples_.size() > capacity_) samples_.pop_front();
}

std::size_t Window::size() const { return samples_.size(); }

double Window::mean() const {
  if (samples_.empty()) return 0;
  return std::accumulate(samples_.begin(), samples_.end(), 0.0) / static_cast<double>(samples_.size());
}
