#pragma once
// A model's service to measure against: Chat Completions, spoken by a process of our own program.

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace conductorai::bench {

/// http1: one answer over plain HTTP/1.1, a second after the request. http2: the same over TLS. sse: a stream of kChunks pieces, one each
/// kBetweenChunks, over plain HTTP/1.1.
enum class LlmWire { http1, http2, sse };
std::string_view to_string(LlmWire wire);

inline constexpr int kChunks = 200;
inline constexpr int kBetweenChunksMs = 25;
inline constexpr int kAnswerAfterMs = 1'000;
inline constexpr int kStreamsPerConnection = 100;  // what the HTTP/2 service allows at once

/// What it answers over HTTP/1.1, head and body; over HTTP/2 the body alone.
const std::string& whole_answer();
const std::string& whole_answer_body();

/// The service runs from construction to destruction. Ends the program with a message when it cannot be started.
class LlmService {
 public:
  /// Its certificate is made in `folder`.
  LlmService(LlmWire wire, const std::filesystem::path& folder);
  ~LlmService();
  LlmService(const LlmService&) = delete;
  LlmService& operator=(const LlmService&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const;                    // base URL of the API
  [[nodiscard]] std::filesystem::path certificate() const;  // what a client of http2 must trust

 private:
  LlmWire wire_;
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int port_ = 0;
};

/// Exit code when argv asks this program to be such a service; it serves until it is killed.
std::optional<int> run_llm_service(int argc, char** argv);

}  // namespace conductorai::bench
