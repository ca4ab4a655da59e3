#include "infrastructure/sandbox/bubblewrap_args.hpp"

#include <algorithm>
#include <array>
#include <system_error>

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

using Args = std::vector<std::string>;

void add(Args& args, std::initializer_list<std::string> more) {
  args.insert(args.end(), more);
}

/// What programs and their libraries read of /etc. Nothing with a secret, a user's name or the machine's network in it.
constexpr std::array kEtc = {"alternatives",  "ld.so.cache",     "ld.so.conf", "ssl/certs", "ssl/openssl.cnf",
                             "pki/tls/certs", "crypto-policies", "localtime",  "timezone",  "mime.types",
                             "protocols",     "services",        "maven"};
constexpr std::array kEtcPrefixes = {"java-", "python3"};

void add_namespaces(Args& args, const SandboxCommand& command, const InsideDescriptors& d) {
  const std::string user = std::to_string(kUserInside);
  add(args, {"--die-with-parent", "--unshare-all", "--unshare-user", "--disable-userns", "--new-session", "--cap-drop", "ALL", "--uid",
             user, "--gid", user, "--hostname", "sandbox"});
  if (command.network) add(args, {"--share-net"});
  add(args, {"--json-status-fd", std::to_string(d.status), "--block-fd", std::to_string(d.block), "--seccomp", std::to_string(d.seccomp)});
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

void add_etc(Args& args, const SandboxCommand& command, const InsideDescriptors& d) {
  add(args, {"--perms", "0755", "--dir", "/etc"});
  const auto bind = [&args](const fs::path& path) {
    std::error_code error;
    if (fs::exists(path, error)) add(args, {"--ro-bind", path.string(), path.string()});
  };
  for (const char* name : kEtc) bind(fs::path("/etc") / name);
  std::error_code error;
  for (fs::directory_iterator it("/etc", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (std::any_of(kEtcPrefixes.begin(), kEtcPrefixes.end(), [&](const char* prefix) { return name.starts_with(prefix); }))
      bind(it->path());
  }
  if (command.network) bind("/etc/resolv.conf");
  int fd = d.first_made_file;
  for (const auto& file : made_files()) add(args, {"--perms", "0444", "--file", std::to_string(fd++), file.path});
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

std::vector<MadeFile> made_files() {
  const std::string id = std::to_string(kUserInside);
  return {{"/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nsandbox:x:" + id + ":" + id + ":sandbox:" + kHomeInside + ":/bin/sh\n" +
                              "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
          {"/etc/group", "root:x:0:\nsandbox:x:" + id + ":\nnogroup:x:65534:\n"},
          {"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
          {"/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n"}};
}

Result<std::vector<std::string>> bubblewrap_args(const SandboxCommand& command, const InsideDescriptors& descriptors) {
  Args args;
  add_namespaces(args, command, descriptors);
  add_system(args);
  add_etc(args, command, descriptors);
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
