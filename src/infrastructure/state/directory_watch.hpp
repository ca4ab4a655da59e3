#pragma once
// DirectoryWatch: inotify on the loop. Tells of files written, closed after writing or removed in the watched directories. Where inotify is
// not to be had (its limits are per user, and small), it tells every half second instead.

#include <filesystem>
#include <functional>
#include <string>
#include <unordered_map>

#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure {

class DirectoryWatch {
 public:
  explicit DirectoryWatch(runtime::Loop& loop) : loop_(loop), scope_(loop) {}
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  /// REQUIRES: closed, when it ever watched.
  ~DirectoryWatch();

  /// `told` gets the file's name, on the loop's thread; an empty one when it may have been any. A directory is watched once.
  void watch(const std::filesystem::path& directory, std::function<void(const std::string&)> told);
  task<void> close();

 private:
  task<void> follow();
  task<void> poll();
  void tell_all();
  void tell(const char* events, std::size_t size);

  runtime::Loop& loop_;
  int fd_ = -1;
  bool polling_ = false;
  std::unordered_map<int, std::function<void(const std::string&)>> told_;  // by watch; by negative numbers what is polled for
  runtime::TaskScope scope_;
};

}  // namespace conductorai::infrastructure
