#include "agents/base/answer_files.hpp"

#include <algorithm>

#include "evidence/text.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{4} << 20;
constexpr std::size_t kAnswerBytesMax = std::size_t{8} << 20;
constexpr std::size_t kFilesMax = 2'000;
constexpr std::size_t kKeptBytesMax = std::size_t{64} << 10;  // of an answer's text, as evidence

bool of_the_machine(ErrorCode code) {
  return code == ErrorCode::resource_exhausted || code == ErrorCode::unavailable || code == ErrorCode::cancelled ||
         code == ErrorCode::internal;
}

Finding refusal(std::string path, std::string message) {
  return {.severity = Severity::error, .file = std::move(path), .line = 0, .message = std::move(message), .source = "workspace"};
}

std::vector<Finding> too_large(const AnswerFiles& files) {
  std::vector<Finding> found;
  std::size_t all = 0;
  for (const auto& [path, content] : files) {
    const std::size_t bytes = content.value_or("").size();
    all += bytes;
    if (bytes > kFileBytesMax) found.push_back(refusal(path, "the file has " + std::to_string(bytes) + " bytes; 4 MiB are allowed"));
  }
  if (all > kAnswerBytesMax) found.push_back(refusal({}, "the answer's files have " + std::to_string(all) + " bytes; 8 MiB are allowed"));
  if (files.size() > kFilesMax) found.push_back(refusal({}, "the answer has " + std::to_string(files.size()) + " files; 2000 are allowed"));
  return found;
}

// "```file:a.py" opens a block; as many backticks alone on a line close it.
std::optional<std::string_view> opened_file(std::string_view line, std::string_view& fence) {
  const auto ticks = line.find_first_not_of('`');
  if (ticks == std::string_view::npos || ticks < 3) return std::nullopt;
  std::string_view info = evidence::trimmed(line.substr(ticks));
  constexpr std::string_view kPrefix = "file:";
  if (!info.starts_with(kPrefix)) return std::nullopt;
  fence = line.substr(0, ticks);
  return evidence::trimmed(info.substr(kPrefix.size()));
}

AnswerFiles parse_blocks(std::string_view text) {
  AnswerFiles files;
  std::string path, content;
  std::string_view fence;
  for (const std::string_view line : evidence::lines_of(text)) {
    if (!fence.empty()) {
      if (evidence::trimmed(line) == fence) {
        files[path] = std::move(content);
        content.clear();
        fence = {};
      } else {
        content += line;
        content += '\n';
      }
      continue;
    }
    constexpr std::string_view kDelete = "delete file:";
    if (auto opened = opened_file(line, fence))
      path = *opened;
    else if (line.starts_with(kDelete))
      files[std::string(evidence::trimmed(line.substr(kDelete.size())))] = std::nullopt;
  }
  return files;  // a block that is never closed was cut off: it is no whole file
}

task<Result<void>> apply_one(Workspace& workspace, std::string path, std::optional<std::string> content) {
  if (content) {
    auto written = co_await workspace.write(std::move(path), std::move(*content));
    co_return written;
  }
  auto removed = co_await workspace.remove(std::move(path));
  if (!removed && removed.error().code == ErrorCode::not_found) co_return Result<void>{};
  co_return removed;
}

}  // namespace

std::string_view file_blocks_format() {
  return "Give every file that you change or add whole, in a block of this form (use more backticks where the content holds three):\n\n"
         "```file:path/relative/to/the/root.ext\nthe whole content\n```\n\n"
         "A line `delete file: path` outside of blocks deletes a file. Files you do not name stay as they are.\n";
}

AnswerFiles files_of(const LLMResponse& answer) {
  return answer.files.empty() ? parse_blocks(answer.text) : answer.files;
}

task<Result<Applied>> apply_files(Workspace& workspace, AnswerFiles files) {
  Applied applied;
  applied.refused = too_large(files);
  if (!applied.refused.empty()) co_return applied;
  auto before = co_await workspace.snapshot();
  if (!before) co_return fail(before.error());
  for (auto& [path, content] : files) {
    auto done = co_await apply_one(workspace, path, std::move(content));
    if (done) {
      applied.paths.push_back(path);
      continue;
    }
    if (of_the_machine(done.error().code)) co_return fail(done.error());
    applied.refused.push_back(refusal(path, done.error().message));
  }
  if (applied.refused.empty()) co_return applied;
  applied.paths.clear();
  auto restored = co_await workspace.restore(*before);
  if (!restored) co_return fail(restored.error());
  co_return applied;
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += std::string(to_string(finding.severity)) + " ";
    if (!finding.file.empty()) text += finding.file + (finding.line > 0 ? ":" + std::to_string(finding.line) : "") + ": ";
    text += finding.message + (finding.source.empty() ? "" : " (" + finding.source + ")") + "\n";
  }
  return text;
}

std::string answer_text(const LLMResponse& answer) {
  std::string text = evidence::shortened(answer.text, kKeptBytesMax) + "\n";
  std::size_t shown = 0;
  for (const auto& [path, content] : answer.files) {
    if (++shown > 200) return text + "… " + std::to_string(answer.files.size()) + " files in all\n";
    text += path + (content ? ": " + std::to_string(content->size()) + " bytes\n" : ": deleted\n");
  }
  return text;
}

task<Result<Outcome>> refused_answer(TaskContext& context, std::string summary, std::vector<Finding> findings, std::string answer) {
  if (!findings.empty()) {
    const Finding& first = findings.front();
    summary += ": " + (first.file.empty() ? "" : first.file + ": ") + first.message;
  }
  auto kept = co_await context.save_artifact("refused-answer.txt", "answer", findings_text(findings) + "\n" + answer);
  if (!kept) co_return fail(kept.error());
  Outcome outcome{.verdict = Verdict::failed, .summary = summary, .outputs = {}, .evidence = {}, .feedback = FeedbackPayload{}};
  outcome.evidence.push_back({.kind = "integrity",
                              .summary = std::move(summary),
                              .value = {},
                              .passed = {},
                              .failed = {},
                              .skipped = {},
                              .artifact = kept->digest});
  outcome.feedback->summary = outcome.summary;
  outcome.feedback->findings = std::move(findings);
  co_return outcome;
}

}  // namespace conductorai::agents
