#include "infrastructure/sandbox/bubblewrap_args.hpp"

#include <algorithm>
#include <system_error>

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

using Args = std::vector<std::string>;

void add(Args& args, std::initializer_list<std::string> more) {
  args.insert(args.end(), more);
}

void add_namespaces(Args& args, const SandboxCommand& command, const Inside& inside) {
  const std::string user = std::to_string(kUserInside);
  add(args, {"--die-with-parent", "--unshare-all", "--unshare-user", "--disable-userns", "--new-session", "--cap-drop", "ALL", "--uid",
             user, "--gid", user, "--hostname", "sandbox"});
  if (command.network) add(args, {"--share-net"});
  add(args, {"--json-status-fd", std::to_string(inside.status), "--block-fd", std::to_string(inside.block), "--seccomp",
             std::to_string(inside.seccomp)});
}

/// /bin, /lib… as the machine has them: links into /usr, or folders of their own.
void add_system(Args& args) {
  add(args, {"--ro-bind", "/usr", "/usr"});
  for (const char* name : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    std::error_code error;
    const fs::path target = fs::read_symlink(name, error);
    if (!error)
      add(args, {"--symlink", target.string(), name});
    else if (fs::is_directory(name, error))
      add(args, {"--ro-bind", name, name});
  }
  std::error_code error;
  if (fs::is_directory("/opt", error) && !fs::is_empty("/opt", error)) add(args, {"--ro-bind", "/opt", "/opt"});
}

void add_etc(Args& args, const SandboxCommand& command, const Inside& inside) {
  add(args, {"--ro-bind", inside.etc.string(), "/etc"});
  for (const auto& folder : inside.etc_folders) add(args, {"--ro-bind", folder.string(), folder.string()});
  std::error_code error;
  if (command.network && fs::exists("/etc/resolv.conf", error)) add(args, {"--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf"});
}

/// /dev is a tmpfs without a limit: it is closed, and /dev/shm gets a limited one of its own.
void add_volatile(Args& args, const SandboxCommand& command) {
  const std::string size =
      std::to_string(std::max<std::int64_t>(1 << 20, std::min(command.limits.disk_bytes, command.limits.memory_bytes)));
  add(args, {"--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"});
  add(args, {"--perms", "1777", "--size", size, "--tmpfs", "/tmp", "--dir", kHomeInside});
}

Result<void> add_workspace(Args& args, const SandboxCommand& command) {
  std::error_code error;
  if (!command.workspace.is_absolute() || !fs::is_directory(command.workspace, error))
    return fail(ErrorCode::invalid_argument, "no such workspace", command.workspace.string());
  add(args, {"--bind", command.workspace.string(), kWorkspaceInside});
  // A worktree's .git leads to the repository: it is covered, and being a mount point it can be neither changed nor replaced.
  const fs::path git = command.workspace / ".git";
  const std::string inside = std::string(kWorkspaceInside) + "/.git";
  const auto status = fs::symlink_status(git, error);
  if (fs::is_directory(status))
    add(args, {"--tmpfs", inside, "--remount-ro", inside});
  else if (fs::is_regular_file(status))
    add(args, {"--ro-bind", "/dev/null", inside});
  else if (fs::exists(status))
    return fail(ErrorCode::invalid_argument, "the workspace's .git is neither a file nor a folder", git.string());
  return {};
}

Result<void> add_mounts(Args& args, const SandboxCommand& command) {
  for (const auto& path : command.limits.read) {
    const fs::path clean = fs::path(path).lexically_normal();
    if (!clean.is_absolute() || clean == "/" || clean.string().starts_with("/proc") || clean.string().starts_with("/sys"))
      return fail(ErrorCode::invalid_argument, "sandbox.read takes absolute paths below /, none of /proc or /sys", path);
    add(args, {"--ro-bind", path, path});
  }
  for (const auto& mount : command.mounts) {
    if (!mount.host.is_absolute() || !mount.inside.is_absolute())
      return fail(ErrorCode::invalid_argument, "a mount needs absolute paths", mount.host.string());
    add(args, {mount.writable ? "--bind" : "--ro-bind", mount.host.string(), mount.inside.string()});
  }
  return {};
}

}  // namespace

std::map<std::string, std::string> environment_inside(const std::map<std::string, std::string>& added) {
  std::map<std::string, std::string> environment{{"PATH", kPathInside}, {"HOME", kHomeInside}, {"TMPDIR", "/tmp"}, {"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : added) environment[name] = value;
  return environment;
}

Result<std::vector<std::string>> bubblewrap_args(const SandboxCommand& command, const Inside& inside) {
  Args args;
  add_namespaces(args, command, inside);
  add_system(args);
  add_etc(args, command, inside);
  add_volatile(args, command);
  if (auto added = add_workspace(args, command); !added) return fail(added.error());
  if (auto added = add_mounts(args, command); !added) return fail(added.error());
  add(args, {"--remount-ro", "/", "--clearenv"});
  for (const auto& [name, value] : environment_inside(command.environment)) add(args, {"--setenv", name, value});
  const fs::path folder = command.working_subdirectory.lexically_normal();
  add(args, {"--chdir", folder.empty() || folder == "." ? kWorkspaceInside : (fs::path(kWorkspaceInside) / folder).string()});
  return args;
}

}  // namespace conductorai::infrastructure
