#include "base/crash_point.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string>

namespace conductorai {

namespace {

struct Target {
  std::string name;
  int hit = 1;
  std::string mark;
};

Target read_target() {
  Target target;
  const char* at = std::getenv("CONDUCTORAI_CRASH_AT");
  if (at == nullptr) return target;
  const std::string_view text(at);
  const auto colon = text.rfind(':');
  target.name = text.substr(0, colon);
  if (colon != std::string_view::npos) std::from_chars(at + colon + 1, at + text.size(), target.hit);
  if (const char* mark = std::getenv("CONDUCTORAI_CRASH_MARK")) target.mark = mark;
  return target;
}

const Target& target() {
  static const Target instance = read_target();
  return instance;
}

}  // namespace

const bool detail::crash_armed = !target().name.empty();

void detail::crash_point_hit(std::string_view name) {
  static std::atomic<int> hits = 0;
  if (name != target().name || ++hits != target().hit) return;
  if (!target().mark.empty()) {
    const int mark = ::open(target().mark.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (mark < 0 && errno == EEXIST) return;
    ::close(mark);
  }
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();  // another thread may run this on before the signal is delivered to the process
}

}  // namespace conductorai
