#include "infrastructure/state/directory_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace conductorai::infrastructure {

namespace {
constexpr std::chrono::milliseconds kPoll{500};
}

DirectoryWatch::~DirectoryWatch() {
  if (fd_ >= 0) ::close(fd_);
}

void DirectoryWatch::watch(const std::filesystem::path& directory, std::function<void(const std::string&)> told) {
  if (fd_ < 0 && (fd_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) >= 0) scope_.spawn(follow());
  const int watch = fd_ < 0 ? -1 : ::inotify_add_watch(fd_, directory.c_str(), IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR);
  told_[watch >= 0 ? watch : -1 - static_cast<int>(told_.size())] = std::move(told);
  if (watch < 0 && !std::exchange(polling_, true)) scope_.spawn(poll());
}

task<void> DirectoryWatch::poll() {
  while (true) {
    auto slept = co_await sleep_for(loop_, kPoll);
    if (!slept) co_return;
    tell_all();
  }
}

void DirectoryWatch::tell_all() {
  for (auto& [watch, told] : told_) told({});
}

task<void> DirectoryWatch::follow() {
  while (true) {
    auto ready = co_await loop_.readable(fd_);
    if (!ready) co_return;
    alignas(inotify_event) std::array<char, 16'384> events;
    const ssize_t size = ::read(fd_, events.data(), events.size());
    if (size > 0) tell(events.data(), static_cast<std::size_t>(size));
  }
}

void DirectoryWatch::tell(const char* events, std::size_t size) {
  for (std::size_t at = 0; at < size;) {
    inotify_event event;
    std::memcpy(&event, events + at, sizeof event);
    const std::string name = event.len > 0 ? std::string(events + at + sizeof event) : std::string();
    at += sizeof event + event.len;
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      tell_all();
    } else if (auto found = told_.find(event.wd); found != told_.end() && !name.empty()) {
      found->second(name);
    }
  }
}

task<void> DirectoryWatch::close() {
  scope_.cancel();
  co_await scope_.join();
}

}  // namespace conductorai::infrastructure
