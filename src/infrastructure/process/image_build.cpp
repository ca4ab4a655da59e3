#include "infrastructure/process/image_build.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace conductorai::infrastructure {
namespace {

constexpr Milliseconds kAnswerTimeout{20'000};
constexpr std::int64_t kPrintedMax = 1 << 20;
constexpr std::size_t kEndMax = 16'000;

using Environment = std::map<std::string, std::string>;

ProcessSpec command(std::vector<std::string> argv, const Environment& environment, Milliseconds timeout) {
  ProcessSpec spec;
  spec.argv = std::move(argv);
  spec.environment = environment;
  spec.output_bytes_max = kPrintedMax;
  spec.timeout = timeout;
  return spec;
}

bool ends_it(const Error& error) {
  return error.code == ErrorCode::cancelled || error.code == ErrorCode::resource_exhausted;
}

/// The first line of what it said: "Cannot connect to the Docker daemon at …".
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::map<std::string, std::string> engine_environment(const std::map<std::string, std::string>& all) {
  constexpr std::array<std::string_view, 4> kNames{"PATH", "HOME", "USER", "TMPDIR"};
  constexpr std::array<std::string_view, 5> kPrefixes{"XDG_", "DOCKER_", "CONTAINER", "BUILDAH_", "REGISTRY_AUTH"};
  Environment out;
  for (const auto& [name, value] : all) {
    const bool named = std::ranges::find(kNames, name) != kNames.end();
    if (named || std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); })) out[name] = value;
  }
  return out;
}

task<Result<FoundEngine>> find_engine(runtime::Loop& loop, std::map<std::string, std::string> environment, std::string wanted) {
  FoundEngine found;
  const Environment given = engine_environment(environment);
  for (const std::string name : {"podman", "docker"}) {
    if (!wanted.empty() && name != wanted) continue;
    auto answered = co_await run_process(loop, command({name, "info"}, given, kAnswerTimeout));
    if (!answered && ends_it(answered.error())) co_return fail(answered.error());
    if (answered && answered->ok()) co_return FoundEngine{.name = name, .why_not = {}};
    std::string why = "it does not answer";
    if (!answered) why = answered.error().code == ErrorCode::not_found ? "not installed" : answered.error().message;
    if (answered && !answered->timed_out && !answered->err.empty()) why = first_line(answered->err);
    found.why_not += (found.why_not.empty() ? "" : "; ") + name + ": " + why;
  }
  co_return found;
}

task<Result<ImageBuilt>> build_image(runtime::Loop& loop, std::map<std::string, std::string> environment, ImageBuild build) {
  const Environment given = engine_environment(environment);
  auto engine = co_await find_engine(loop, given);
  if (!engine) co_return fail(engine.error());
  if (engine->name.empty()) co_return ImageBuilt{};
  auto spec =
      command({engine->name, "build", "--file", (build.folder / build.dockerfile).string(), "--tag", build.tag, build.folder.string()},
              given, build.timeout);
  auto built = co_await run_process(loop, std::move(spec));
  if (!built) co_return fail(built.error());
  ImageBuilt out{.engine = engine->name, .built = built->ok(), .printed = built->out + built->err};
  if (built->timed_out) out.printed += "\nstopped: it took longer than " + std::to_string(build.timeout.count() / 1000) + " s";
  if (out.printed.size() > kEndMax) out.printed.erase(0, out.printed.size() - kEndMax);
  if (!out.built) co_return out;
  auto removed = co_await run_process(loop, command({engine->name, "rmi", build.tag}, given, kAnswerTimeout));
  if (!removed && ends_it(removed.error())) co_return fail(removed.error());
  co_return out;
}

}  // namespace conductorai::infrastructure
