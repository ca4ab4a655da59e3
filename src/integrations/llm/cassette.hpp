#pragma once
// Cassettes: exchanges with a model written to a file, and answered from it later without any model (docs/formats/cassette.md).

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

/// One exchange. The request stands there for people; the key alone finds it again.
struct CassetteEntry {
  std::string key;
  std::string agent, task, step;
  int round = 1, attempt = 1;
  LLMRequest request;
  std::optional<LLMResponse> answer;
  std::optional<Error> error;  // instead
};

/// Of everything that is sent but the model's name. Words that hold a digit (times, ports, ids) count as one and the same, and what agents
/// quote of measurements and findings (<findings>, <measured>, <samples>, <log>) not at all: it differs from run to run.
[[nodiscard]] std::string cassette_key(const LLMRequest& request);

/// Errors: invalid_argument with the line.
Result<std::vector<CassetteEntry>> parse_cassette(std::string_view text, const std::string& name);

/// Makes the file, or empties one that is a cassette. Errors: already_exists (another file), permission_denied and the like.
Result<void> start_cassette(const std::filesystem::path& file);

/// Writes down each exchange as it ends. An answer whose exchange cannot be written is handed on all the same, for it is paid; the next
/// call fails before anything is sent. Errors: those of `inner`; resource_exhausted (the file).
class RecordingProvider final : public BaseLLMProvider {
 public:
  /// `secrets` never reach the file.
  RecordingProvider(std::shared_ptr<BaseLLMProvider> inner, std::filesystem::path file, std::vector<std::string> secrets)
      : inner_(std::move(inner)), file_(std::move(file)), secrets_(std::move(secrets)) {}
  [[nodiscard]] std::string_view name() const override { return inner_->name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  Result<void> write(const LLMRequest& request, const Result<LLMResponse>& answer);

  std::shared_ptr<BaseLLMProvider> inner_;
  std::filesystem::path file_;
  std::vector<std::string> secrets_;
  Result<void> written_;
};

/// Answers from a cassette: the same exchange of the same step first, in the order of its tries; else one of the same request, each used
/// once and the last for ever. Errors: those that were recorded; invalid_argument when there is none.
class ReplayProvider final : public BaseLLMProvider {
 public:
  ReplayProvider(std::vector<CassetteEntry> entries, std::string file);
  [[nodiscard]] std::string_view name() const override { return "replay"; }
  task<Result<LLMResponse>> chat(LLMRequest request) override;

 private:
  [[nodiscard]] const CassetteEntry* find(const LLMRequest& request);
  [[nodiscard]] Error miss(const LLMRequest& request) const;

  std::vector<CassetteEntry> entries_;
  std::string file_;
  std::map<std::string, std::vector<std::size_t>> of_place_, of_key_;
  std::map<std::string, std::size_t> tries_;
  std::vector<bool> used_;
};

}  // namespace conductorai::integrations
