#include "bench/llm_service.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/descriptor_limit.hpp"
#include "bench/llm_server.hpp"
#include "bench/programs.hpp"

namespace conductorai::bench {
namespace {

constexpr std::string_view kSubcommand = "llm-service";
constexpr std::array kWires{LlmWire::http1, LlmWire::http2, LlmWire::sse};

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "conductorai-bench: error: the service to measure against cannot be started: %s\n", what);
  std::exit(4);
}

/// The port, as the service prints it on its first line.
int read_port(int from) {
  std::array<char, 16> text{};
  const ssize_t got = ::read(from, text.data(), text.size());
  int port = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, port);
  return port;
}

}  // namespace

std::string_view to_string(LlmWire wire) {
  switch (wire) {
    case LlmWire::http1: return "http1";
    case LlmWire::http2: return "http2";
    case LlmWire::sse: return "sse";
  }
  return {};
}

const std::string& whole_answer_body() {
  static const std::string body =
      R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":)"
      R"("assistant","content":")" +
      std::string(200, 'a') + R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":64,"completion_tokens":50,"total_tokens":114}})";
  return body;
}

const std::string& whole_answer() {
  static const std::string answer =
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(whole_answer_body().size()) + "\r\n\r\n" +
      whole_answer_body();
  return answer;
}

LlmService::LlmService(LlmWire wire, const std::filesystem::path& folder) : wire_(wire), folder_(folder) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
  pid_ = start_program({beside_us("conductorai-bench"), std::string(kSubcommand), std::string(to_string(wire)), folder}, ends[1]);
  ::close(ends[1]);
  port_ = read_port(ends[0]);
  ::close(ends[0]);
  if (port_ == 0) give_up(pid_ < 0 ? "no process" : "it does not listen");
}

LlmService::~LlmService() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string LlmService::url() const {
  return (wire_ == LlmWire::http2 ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + "/v1";
}

std::filesystem::path LlmService::certificate() const {
  return folder_ / kCertificateFile;
}

std::optional<int> run_llm_service(int argc, char** argv) {
  if (argc != 4 || argv[1] != kSubcommand) return std::nullopt;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  raise_descriptor_limit();
  for (const LlmWire wire : kWires)
    if (argv[2] == to_string(wire)) return wire == LlmWire::http2 ? serve_http2(argv[3]) : serve_http1(wire == LlmWire::sse);
  return 2;
}

}  // namespace conductorai::bench
