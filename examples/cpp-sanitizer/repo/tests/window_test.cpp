#include <cstdio>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>

#include "window.hpp"

namespace {

Window window_of(std::size_t capacity, std::initializer_list<double> samples) {
  Window window(capacity);
  for (double sample : samples) window.push(sample);
  return window;
}

int expect(double actual, double expected, const char* file, int line) {
  if (actual == expected) return 0;
  std::fprintf(stderr, "%s:%d: Failure: got %g, expected %g\n", file, line, actual, expected);
  return 1;
}

#define EXPECT(actual, expected) expect(actual, expected, __FILE__, __LINE__)

const std::map<std::string, std::function<int()>> kTests{
    {"mean", [] { return EXPECT(window_of(4, {1, 2, 3}).mean(), 2); }},
    {"forgets_the_oldest", [] { return EXPECT(window_of(2, {9, 1, 3}).mean(), 2); }},
    {"median_of_odd", [] { return EXPECT(window_of(5, {9, 1, 5}).median(), 5); }},
    {"median_of_even", [] { return EXPECT(window_of(4, {4, 1, 3, 2}).median(), 2.5); }},
    {"median_of_nothing", [] { return EXPECT(window_of(3, {}).median(), 0); }},
};

}  // namespace

int main(int argc, char** argv) {
  const auto test = argc == 2 ? kTests.find(argv[1]) : kTests.end();
  if (test == kTests.end()) {
    std::fprintf(stderr, "usage: window_test NAME\n");
    return 2;
  }
  return test->second();
}
