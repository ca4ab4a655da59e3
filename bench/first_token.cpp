// first-token: from a model's service to the screen of `conductorai watch`. The service writes the time into each piece of its answers as
// it sends it; `run` and `watch` are processes of their own; this one reads what `watch` prints.

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <fstream>
#include <string>
#include <thread>

#include "base/loopback_address.hpp"
#include "bench/measurement.hpp"
#include "bench/programs.hpp"

namespace conductorai::bench {
namespace {

constexpr int kPieces = 20;
constexpr std::chrono::milliseconds kBetween{5};

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

void send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string event(const std::string& content, const char* finish = "null") {
  return R"(data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":")" + content + R"("},"finish_reason":)" + finish +
         "}]}\n\n";
}

/// Speaks Chat Completions, one connection an answer.
class SlowService {
 public:
  SlowService() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = loopback_address(0);
    socklen_t length = sizeof at;
    if (::bind(listening_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 && ::listen(listening_, 16) == 0 &&
        ::getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &length) == 0)
      port_ = ::ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  SlowService(const SlowService&) = delete;
  SlowService& operator=(const SlowService&) = delete;
  ~SlowService() {
    watched = true;
    watched.notify_all();
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    ::close(listening_);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

  std::atomic<bool> watched{false};  // nothing is answered before

 private:
  void serve() {
    for (int fd = -1; (fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(fd)) {
      char request[256 * 1024];
      if (::recv(fd, request, sizeof request, 0) <= 0) continue;
      watched.wait(false);
      answer(fd);
      ::shutdown(fd, SHUT_WR);
      while (::recv(fd, request, sizeof request, 0) > 0) {
      }
    }
  }
  void answer(int fd) {
    send_all(fd, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n");
    for (int i = 0; i < kPieces; ++i) {
      std::this_thread::sleep_for(kBetween);
      send_all(fd, event("@" + std::to_string(i) + ":" + std::to_string(now_ns()) + "@ "));
    }
    send_all(fd, event("\\n\\n```file:made.txt\\n" + std::to_string(now_ns()) + "\\n```\\n"));
    send_all(fd, event("", "\"stop\"") + "data: [DONE]\n\n");
  }

  int listening_;
  int port_ = 0;
  std::thread thread_;
};

/// A command of ours that asks the service; what it prints goes to `out`, or away.
pid_t start(std::vector<std::string> arguments, int out, const SlowService& service) {
  arguments.insert(arguments.begin(), beside_us("conductorai"));
  return start_program(std::move(arguments), out, {"CONDUCTORAI_LLM__BASE_URL=" + service.url(), "OPENAI_API_KEY=none"});
}

struct Latencies {
  std::vector<double> first_ms, all_ms;
};

/// Takes the stamps out of what `watch` has printed by now.
void take_stamps(std::string& printed, std::int64_t at, Latencies& into) {
  std::size_t done = 0;
  for (std::size_t begin = 0; (begin = printed.find('@', done)) != std::string::npos;) {
    const auto colon = printed.find(':', begin);
    const auto end = printed.find('@', begin + 1);
    if (end == std::string::npos) break;
    std::int64_t sent = 0;
    if (colon < end && std::from_chars(printed.data() + colon + 1, printed.data() + end, sent).ptr == printed.data() + end) {
      into.all_ms.push_back(static_cast<double>(at - sent) / 1e6);
      if (printed.compare(begin, 3, "@0:") == 0) into.first_ms.push_back(into.all_ms.back());
    }
    done = end + 1;
  }
  printed.erase(0, std::max(done, printed.find('@', done) == std::string::npos ? printed.size() : done));
}

void write_workflow(const std::filesystem::path& file, int tasks) {
  std::ofstream out(file);
  out << "name: first-token\nrequirement: A file.\nllm: { provider: openai, model: m }\ntoolchain: { build: \"true\" }\ntasks:\n";
  for (int i = 0; i < tasks; ++i)
    out << "  t" << i << ": { agent: coding" << (i > 0 ? ", needs: [t" + std::to_string(i - 1) + "]" : "") << " }\n";
}

}  // namespace

int run_first_token(const Settings& settings) {
  const int tasks = settings.workflows > 0 ? settings.workflows : 50;
  const WorkFolder folder;
  write_workflow(folder.path() / "w.yaml", tasks);
  const std::string state = folder.path() / "state";
  SlowService service;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return 1;
  const pid_t runner = start({"run", folder.path() / "w.yaml", "--state-dir", state, "--sandbox=none"}, -1, service);
  while (!std::filesystem::exists(state + "/state.db") || wait_for(start({"status", "--state-dir", state}, -1, service)) != 0)
    if (::kill(runner, 0) != 0 || ::waitpid(runner, nullptr, WNOHANG) != 0) return 1;
  const pid_t watcher = start({"watch", "--state-dir", state}, ends[1], service);
  ::close(ends[1]);
  Latencies latencies;
  Measurement all{.work = "first-token", .variant = "any token", .n = tasks * kPieces};
  const Stopwatch watch;
  std::string printed;
  char bytes[16 * 1024];
  for (ssize_t got = 0; (got = ::read(ends[0], bytes, sizeof bytes)) > 0;) {
    const std::int64_t at = now_ns();
    service.watched = true;  // it prints, so it watches
    service.watched.notify_all();
    printed.append(bytes, static_cast<std::size_t>(got));
    take_stamps(printed, at, latencies);
  }
  ::close(ends[0]);
  Measurement first{.work = "first-token", .variant = "first token", .n = tasks};
  first.errors = (wait_for(watcher) != 0) + (wait_for(runner) != 0) + (std::ssize(latencies.first_ms) != tasks);
  watch.end(first, latencies.first_ms);
  watch.end(all, latencies.all_ms);
  for (const Measurement* measured : {&first, &all}) print(*measured, settings.json);
  print_ratio("ms from the service to watch, first token, p50", first.p50_ms, "at most 20", settings.json);
  print_ratio("ms from the service to watch, first token, p99", first.p99_ms, "at most 20", settings.json);
  return static_cast<int>(first.errors);
}

}  // namespace conductorai::bench
