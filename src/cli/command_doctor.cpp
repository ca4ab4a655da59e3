#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/files.hpp"
#include "cli/json_lines.hpp"
#include "cli/project.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace conductorai::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kFreeBytesMin = std::uint64_t{512} << 20;

struct DoctorOptions {};
struct Check {
  std::string name;
  bool ok = false;
  std::string detail;
  std::string hint;  // where it is not
};

std::string first_line(const std::string& text) {
  return clean_line(text.substr(0, text.find('\n')));
}

Check tool(const std::string& name, std::vector<std::string> argv, const std::string& hint) {
  auto printed = run_tool(argv);
  if (!printed) return {.name = name, .detail = clean_line(printed.error().message), .hint = hint};
  return {.name = name, .ok = true, .detail = first_line(*printed)};
}

Check git() {
  Check check = tool("git", {"git", "--version"}, "install git 2.39 or newer");
  int major = 0, minor = 0;
  if (!check.ok ||
      (std::sscanf(check.detail.c_str(), "git version %d.%d", &major, &minor) == 2 && (major > 2 || (major == 2 && minor >= 39))))
    return check;
  return {.name = "git", .detail = check.detail + " is too old", .hint = "install git 2.39 or newer"};
}

Check namespaces() {
  Check check =
      tool("namespaces", {"bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"},
           "the kernel must allow user namespaces: sysctl kernel.unprivileged_userns_clone=1; else only --sandbox=none runs commands");
  if (check.ok) check.detail = "user, mount, process and network namespaces can be had";
  return check;
}

fs::path existing_ancestor(fs::path path) {
  std::error_code error;
  while (!fs::exists(path, error) && path != path.parent_path()) path = path.parent_path();
  return path;
}

Check disk(const fs::path& state_dir) {
  struct statvfs info{};
  const fs::path at = existing_ancestor(state_dir);
  if (::statvfs(at.c_str(), &info) != 0) return {.name = "disk", .detail = "cannot be measured at " + at.string()};
  const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
  const std::string detail = fmt::format("{} free at {}", size_text(static_cast<std::int64_t>(free)), at.string());
  return {.name = "disk", .ok = free >= kFreeBytesMin, .detail = detail, .hint = "at least 512 MiB should be free"};
}

Check state(const fs::path& state_dir) {
  const fs::path at = existing_ancestor(state_dir);
  const bool there = at == state_dir;
  if (::access(at.c_str(), W_OK | X_OK) == 0)
    return {.name = "state", .ok = true, .detail = state_dir.string() + (there ? " is writable" : " can be made")};
  return {.name = "state", .detail = at.string() + " is not writable", .hint = "give --state-dir a folder of yours"};
}

std::vector<Check> all_checks(const Project& project) {
  return {{.name = "version", .ok = true, .detail = "conductorai " CONDUCTORAI_VERSION},
          git(),
          tool("bubblewrap", {"bwrap", "--version"}, "install bubblewrap; without it only --sandbox=none runs commands"),
          namespaces(),
          tool("python3", {"python3", "--version"}, "install python3: workflows on Python projects need it"),
          disk(project.state_dir),
          state(project.state_dir)};
}

int doctor(const Globals& globals, const DoctorOptions&) {
  const auto checks = all_checks(find_project(".", globals.state_dir));
  Table table({"CHECK", "", ""});
  bool well = true;
  for (const auto& check : checks) {
    well = well && check.ok;
    const std::string detail = check.ok || check.hint.empty() ? check.detail : check.detail + "; " + check.hint;
    if (globals.json)
      std::cout << JsonLine()
                       .text("type", "check")
                       .text("check", check.name)
                       .flag("ok", check.ok)
                       .text("detail", check.detail)
                       .text_or_null("hint", check.ok ? "" : check.hint)
                       .str()
                << "\n";
    else
      table.add({{check.name}, {check.ok ? "ok" : "MISSING", check.ok ? Color::green : Color::red}, {detail}});
  }
  if (!globals.json) std::cout << table.text(0, use_colors());
  std::cout << std::flush;
  return well ? int{kOk} : int{kMachine};
}

}  // namespace

void add_doctor(CLI::App& app, CommandLine& line) {
  add_command<DoctorOptions>(app, line, "doctor", "Check what this machine offers", [](CLI::App&, DoctorOptions&) {}, doctor);
}

}  // namespace conductorai::cli
