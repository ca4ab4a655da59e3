#pragma once
// What the files of a project tell of its release: its version, and how it is started.

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace conductorai::agents {

using ReadText = std::function<std::optional<std::string>(const std::string& path)>;

/// Files these look at, of those that are there.
std::vector<std::string> fact_files(const std::vector<std::string>& files);

/// The version a project declares (package.json, pyproject.toml, Cargo.toml); "0.0.0" where it declares none or no plain one.
std::string declared_version(const std::vector<std::string>& files, const ReadText& read);

/// The shell command that starts the service with its port in $PORT: the `web` line of a Procfile, `scripts.start` of package.json, the one
/// Python package whose __main__.py takes a port. Empty where none is known.
std::string run_command(const std::vector<std::string>& files, const ReadText& read);

}  // namespace conductorai::agents
