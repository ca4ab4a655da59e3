#pragma once
// The way to an app's supervisor: a unix socket in the app's folder, one line of JSON each way. docs/formats/releases.md.

#include <filesystem>
#include <functional>
#include <string>

#include "conductorai/clock.hpp"
#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "infrastructure/process/fd.hpp"
#include "runtime/loop.hpp"
#include "runtime/scope.hpp"

namespace conductorai::infrastructure::releases {

/// Takes the place of whatever stands at `path`. Errors: unavailable, permission_denied.
Result<UniqueFd> listen_at(const std::filesystem::path& path);

using AnswerCall = std::function<task<std::string>(std::string line)>;

/// Serves until cancelled; each call in a coroutine of its own, which goes on when its caller goes away.
task<void> serve_calls(runtime::Loop& loop, int listener, AnswerCall answer, runtime::TaskScope& calls);

/// One call. Errors: unavailable (nobody there, or gone before it answered), timeout, cancelled.
task<Result<std::string>> call(runtime::Loop& loop, std::filesystem::path path, std::string line);

}  // namespace conductorai::infrastructure::releases
