#include "infrastructure/releases/kubectl.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include "base/human.hpp"
#include "base/printable.hpp"
#include "infrastructure/process/lookup.hpp"

namespace conductorai::infrastructure::releases {

namespace {

constexpr std::int64_t kOutputBytes = 4 << 20;
constexpr std::size_t kWordsMax = 600;

std::map<std::string, std::string> environment_for_kubectl(const std::map<std::string, std::string>& all,
                                                           const std::vector<std::string>& more) {
  constexpr std::array<std::string_view, 12> kNames{"PATH",       "HOME",        "USER",        "TMPDIR",   "KUBECONFIG", "HTTP_PROXY",
                                                    "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",   "SSL_CERT_FILE"};
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : all)
    if (std::ranges::find(kNames, name) != kNames.end() || name.starts_with("XDG_") || std::ranges::find(more, name) != more.end())
      out[name] = value;
  return out;
}

/// What no other manifest would change: the user's configuration, or the way to the cluster.
bool is_no_answer(std::string_view err) {
  constexpr std::array<std::string_view, 11> kPhrases{"Unable to connect to the server",
                                                      "The connection to the server ",
                                                      "You must be logged in",
                                                      "(Unauthorized)",
                                                      "no configuration has been",
                                                      "invalid configuration",
                                                      "error: context \"",
                                                      "error loading config file",
                                                      "(ServiceUnavailable)",
                                                      "dial tcp ",
                                                      "x509: "};
  return std::ranges::any_of(kPhrases, [&](std::string_view phrase) { return err.find(phrase) != std::string_view::npos; });
}

std::string words_of(const ProcessResult& result) {
  // The reason stands last, below what its libraries had to say.
  std::string_view text = result.err.empty() ? result.out : result.err;
  while (text.ends_with('\n')) text.remove_suffix(1);
  text.remove_prefix(text.size() - std::min(text.size(), kWordsMax));
  std::string words = printable_line(text, kWordsMax);
  if (!words.empty()) return words;
  return result.signal != 0 ? "killed by signal " + std::to_string(result.signal) : "exit code " + std::to_string(result.exit_code);
}

}  // namespace

std::vector<std::string> KubectlAnswer::names() const {
  std::vector<std::string> found;
  std::istringstream lines(out);
  for (std::string line; lines >> line;)
    if (line.find('/') != std::string::npos && line.front() != '-') found.push_back(line);
  return found;
}

Result<Kubectl> Kubectl::find(runtime::Loop& loop, const std::map<std::string, std::string>& environment,
                              const std::vector<std::string>& more) {
  auto given = environment_for_kubectl(environment, more);
  auto program = find_program("kubectl", given);
  if (!program)
    return fail(ErrorCode::unavailable, "kubectl cannot be run: " + program.error().message, program.error().where,
                "driver kubernetes applies manifests by the kubectl that is in PATH");
  return Kubectl(loop, std::move(*program), std::move(given));
}

task<Result<KubectlAnswer>> Kubectl::ask(ClusterPlace place, std::vector<std::string> arguments, Milliseconds within, Say say) const {
  ProcessSpec spec{.argv = {program_}, .environment = environment_};
  if (!place.context.empty()) spec.argv.insert(spec.argv.end(), {"--context", place.context});
  if (!place.space.empty()) spec.argv.insert(spec.argv.end(), {"--namespace", place.space});
  const std::string verb = arguments.front();
  std::string line = "[conductorai] kubectl";
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  for (std::size_t i = 1; i < spec.argv.size(); ++i) line += " " + spec.argv[i];
  if (say) {
    say(line + "\n");
    spec.on_stdout = say;
    spec.on_stderr = say;
  }
  spec.output_bytes_max = kOutputBytes;
  spec.timeout = within;
  auto result = co_await run_process(*loop_, std::move(spec));
  if (!result) co_return fail(result.error());
  if (result->timed_out) co_return fail(ErrorCode::unavailable, "kubectl " + verb + " did not end within " + duration_text(within.count()));
  if (!result->ok() && is_no_answer(result->err))
    co_return fail(ErrorCode::unavailable, "kubectl reaches no cluster: " + words_of(*result), {},
                   "kubectl get pods must work in this shell");
  KubectlAnswer answer{.ok = result->ok(), .out = std::move(result->out), .why = {}};
  if (!answer.ok) answer.why = "kubectl " + verb + ": " + words_of(*result);
  co_return answer;
}

}  // namespace conductorai::infrastructure::releases
