#pragma once
// All that is wrong with one document, collected while it is read.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/result.hpp"
#include "core/document/node.hpp"

namespace conductorai::core::document {

/// Messages are led by the path of keys being read ("tasks.code.retry: …"); `where` is "FILE:line:column".
class Problems {
 public:
  explicit Problems(std::string file, std::size_t max = 20) : file_(std::move(file)), max_(max) {}

  void add(Position at, std::string message, std::string hint = {});
  /// "expected WHAT, found …"
  void expected(const Node& node, std::string_view what, std::string hint = {});

  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] std::size_t size() const { return found_.size(); }
  [[nodiscard]] const std::string& file() const { return file_; }
  /// In file order, without repetitions, at most `max`; the last tells how many more there were.
  [[nodiscard]] std::vector<Error> take();

  /// While it lives, messages are led by `key` too.
  class In {
   public:
    In(Problems& problems, std::string key) : problems_(problems) { problems_.path_.push_back(std::move(key)); }
    ~In() { problems_.path_.pop_back(); }
    In(const In&) = delete;
    In& operator=(const In&) = delete;

   private:
    Problems& problems_;
  };

 private:
  std::string file_;
  std::size_t max_;
  std::vector<std::string> path_;
  std::multimap<Position, Error> found_;  // in file order
};

}  // namespace conductorai::core::document
