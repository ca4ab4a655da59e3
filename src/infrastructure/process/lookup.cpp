#include "infrastructure/process/lookup.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

bool is_file(const fs::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}
bool is_program(const fs::path& path) {
  return is_file(path) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

Result<std::string> find_program(const std::string& name, const std::map<std::string, std::string>& environment,
                                 const fs::path& working_directory) {
  if (name.find('/') != std::string::npos) {
    const fs::path path = fs::path(name).is_absolute() || working_directory.empty() ? fs::path(name) : working_directory / name;
    // The child changes folder before it executes, so a relative name would be looked up twice: make it absolute.
    if (is_program(path)) return fs::absolute(path).string();
    if (is_file(path)) return fail(ErrorCode::permission_denied, "the program is not executable", path.string());
    return fail(ErrorCode::not_found, "no such program: " + name);
  }
  const auto path_variable = environment.find("PATH");
  std::string_view rest = path_variable == environment.end() ? std::string_view{} : std::string_view(path_variable->second);
  while (!name.empty() && !rest.empty()) {
    const auto end = rest.find(':');
    const fs::path folder(rest.substr(0, end));
    if (folder.is_absolute() && is_program(folder / name)) return (folder / name).string();
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return fail(ErrorCode::not_found, "no such program: " + name, {}, "looked in the PATH given to it");
}

}  // namespace conductorai::infrastructure
