#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "base/lower.hpp"
#include "core/document/document.hpp"
#include "definition/config.hpp"

namespace conductorai::definition {

namespace {

using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::size_t kBytesMax = 65'536;
constexpr std::chrono::seconds kCommandTime{120};  // somebody may have to type a password

Result<std::string> first_line(const std::string& text, const std::string& where) {
  std::string line = text.substr(0, text.find_first_of("\r\n"));
  if (line.empty()) return fail(ErrorCode::invalid_argument, "the secret is empty", where);
  return line;
}

/// A shell that runs a command. It stays in our process group: what it runs may ask a person at the terminal.
class Shell {
 public:
  explicit Shell(const std::string& command) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    out_ = ends[0];
    const char* const arguments[] = {"sh", "-c", command.c_str(), nullptr};
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    if (::posix_spawn(&pid_, "/bin/sh", &files, nullptr, const_cast<char* const*>(arguments), environ) != 0) pid_ = 0;
    ::posix_spawn_file_actions_destroy(&files);
    ::close(ends[1]);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell() {
    if (out_ >= 0) ::close(out_);
  }
  [[nodiscard]] bool started() const { return pid_ > 0; }

  /// Adds what it prints next; false at its end, or where nothing came until `until`.
  bool read(std::string& text, TimePoint until) const {
    if (!wait_for(out_, until)) return false;
    char block[4'096];
    const ssize_t count = ::read(out_, block, sizeof block);
    if (count > 0) text.append(block, static_cast<std::size_t>(count));
    return count > 0;
  }
  /// Its wait status; it is killed where it has not ended by then. REQUIRES: started, and called once.
  [[nodiscard]] int end(TimePoint until) const {
    const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (!wait_for(process, until)) ::kill(pid_, SIGKILL);
    if (process >= 0) ::close(process);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

 private:
  static bool wait_for(int fd, TimePoint until) {
    for (;;) {
      pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (fd < 0 || left.count() <= 0) return false;
      const int found = ::poll(&ready, 1, static_cast<int>(left.count()));
      if (found >= 0 || errno != EINTR) return found > 0;  // else it was stopped and goes on (Ctrl-Z, fg)
    }
  }

  pid_t pid_ = 0;
  int out_ = -1;
};

Result<std::string> output_of(const std::string& command) {
  const std::string where = "command of a secret";  // its text may hold a secret itself
  Shell shell(command);
  if (!shell.started()) return fail(ErrorCode::unavailable, "cannot start a shell", where);
  std::string text;
  const auto until = std::chrono::steady_clock::now() + kCommandTime;
  while (text.size() <= kBytesMax && shell.read(text, until)) {
  }
  const int status = shell.end(text.size() > kBytesMax ? TimePoint() : until);
  if (std::chrono::steady_clock::now() >= until)
    return fail(ErrorCode::timeout, fmt::format("the command did not end within {} s", kCommandTime.count()), where);
  if (text.size() > kBytesMax) return fail(ErrorCode::invalid_argument, "the command prints too much for a secret", where);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(ErrorCode::invalid_argument,
                fmt::format("the command failed with exit code {}", WIFEXITED(status) ? WEXITSTATUS(status) : -1), where);
  return first_line(text, where);
}

/// A header, or a name in a query; of variables agents/base/secret_mask.hpp knows the words.
bool names_a_secret(std::string_view name) {
  const std::string known = lower(name);
  return std::ranges::any_of(std::array{"auth", "key", "token", "secret", "cookie", "pass", "credential", "session", "signature"},
                             [&](const char* word) { return known.contains(word); });
}

/// The user and password of a URL, and what its query calls a key.
void add_secrets_of(std::string_view url, std::vector<std::string>& values) {
  const auto scheme = url.find("://");
  const std::string_view rest = scheme == std::string_view::npos ? url : url.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    values.emplace_back(user);
    if (const auto colon = user.find(':'); colon != std::string_view::npos) values.emplace_back(user.substr(colon + 1));
  }
  const auto question = rest.find('?');
  for (std::string_view query = question == std::string_view::npos ? "" : rest.substr(question + 1); !query.empty();) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (const auto equals = pair.find('='); equals != std::string_view::npos && names_a_secret(pair.substr(0, equals)))
      values.emplace_back(pair.substr(equals + 1));
  }
}

}  // namespace

Result<std::string> reveal(const Secret& secret) {
  switch (secret.kind) {
    case Secret::Kind::none: return fail(ErrorCode::not_found, "no secret is configured");
    case Secret::Kind::value: return secret.text;
    case Secret::Kind::command: return output_of(secret.text);
    case Secret::Kind::environment: {
      const char* value = std::getenv(secret.text.c_str());
      if (value == nullptr) return fail(ErrorCode::not_found, "the variable of a secret is not set", secret.text);
      return first_line(value, secret.text);
    }
    case Secret::Kind::file: break;
  }
  std::filesystem::path path = secret.text;
  const char* home = std::getenv("HOME");
  if (secret.text.starts_with("~/") && home != nullptr) path = std::filesystem::path(home) / secret.text.substr(2);
  auto text = core::document::read_file(path, secret.text, kBytesMax);
  if (!text) return fail(text.error());
  return first_line(*text, secret.text);
}

std::vector<std::string> readable_secrets(const Config& config) {
  std::vector<std::string> values;
  for (const Secret* secret :
       {&config.llm.openai_key, &config.llm.anthropic_key, &config.s3.access_key, &config.s3.secret_key, &config.s3.session_token}) {
    if (secret->empty() || secret->kind == Secret::Kind::command) continue;
    if (auto value = reveal(*secret)) values.push_back(std::move(*value));
  }
  for (const auto& [name, value] : config.llm.headers)
    if (names_a_secret(name)) values.push_back(value.substr(value.starts_with("Bearer ") ? std::string_view("Bearer ").size() : 0));
  for (const std::string* url : {&config.llm.base_url, &config.llm.openai_base_url, &config.llm.anthropic_base_url, &config.llm.proxy})
    add_secrets_of(*url, values);
  std::erase(values, "");
  return values;
}

}  // namespace conductorai::definition
