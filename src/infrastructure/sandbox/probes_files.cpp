#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/read_text.hpp"
#include "infrastructure/sandbox/probes.hpp"

namespace conductorai::infrastructure {

namespace {

/// By its own path, and by every detour that leads to the machine's root.
Attempt read_secret() {
  const std::string path = variable(kSecretPathVariable);
  for (const std::string& detour : {std::string{}, std::string("/proc/1/root"), std::string("/proc/self/root"),
                                    std::string("/proc/self/cwd/../../../.."), std::string("/proc/self/fd/0/../..")}) {
    const std::string found = read_text(detour + path);
    if (!found.empty()) return escaped("read " + detour + path + ": " + found);
  }
  for (const char* home : {"/root", "/home", "/var/lib", "/etc/shadow", "/etc/hostname", "/run", "/mnt", "/srv"})
    if (::access(home, R_OK) == 0 && std::string(home) != "/run") return escaped(std::string("can read ") + home);
  return denied("neither " + path + " nor any home folder can be reached");
}

Attempt environment_secret() {
  const std::string name = variable(kSecretVariable);
  if (!variable(name.c_str()).empty()) return escaped("inherited " + name);
  for (const auto& entry : std::filesystem::directory_iterator("/proc"))
    if (read_text(entry.path() / "environ").find(name + "=") != std::string::npos)
      return escaped("read " + name + " from " + entry.path().string());
  return denied("no variable of the user's is visible");
}

Attempt write_outside() {
  const std::string beside = std::filesystem::path(variable(kSecretPathVariable)).parent_path() / "planted";
  for (const std::string& path :
       {std::string("/planted"), std::string("/usr/planted"), std::string("/usr/local/bin/planted"), std::string("/etc/planted"),
        std::string("/opt/planted"), std::string("/dev/planted"), std::string("/var/planted"), beside}) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
    if (fd < 0) continue;
    ::close(fd);
    ::unlink(path.c_str());
    return escaped("created " + path);
  }
  return denied(refusal("create a file outside the workspace"));
}

/// The workspace lies in the working directory, and its .git leads to the repository.
Attempt git_folder() {
  if (read_text(".git").find("gitdir:") != std::string::npos) return escaped("read where the repository is");
  std::ofstream(".git") << "gitdir: /tmp/evil\n";
  if (read_text(".git").find("evil") != std::string::npos) return escaped("wrote .git");
  if (::rename(".git", "moved") == 0) return escaped("moved .git away");
  if (::unlink(".git") == 0) return escaped("removed .git");
  return denied(refusal("replace .git"));
}

Attempt links() {
  const std::string secret = variable(kSecretPathVariable);
  ::unlink("link");
  if (::symlink(secret.c_str(), "link") == 0 && !read_text("link").empty()) return escaped("read the secret through a symlink");
  ::unlink("hard");
  for (const std::string& target : {secret, std::string("/usr/bin/env"), std::string("/etc/passwd")})
    if (::link(target.c_str(), "hard") == 0) return escaped("linked " + target + " into the workspace");
  return denied(refusal("link a file from outside"));
}

Attempt devices() {
  for (const char* name : {"/dev/mem", "/dev/kmem", "/dev/kmsg", "/dev/port", "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/fuse",
                           "/dev/kvm", "/dev/net/tun", "/dev/vhost-net", "/dev/loop-control", "/dev/mapper/control", "/dev/uinput"})
    if (const int fd = ::open(name, O_RDONLY | O_NONBLOCK); fd >= 0) return escaped(std::string("opened ") + name);
  ::unlink("disk");
  if (::mknod("disk", S_IFBLK | 0600, makedev(8, 0)) == 0) {
    ::unlink("disk");
    return escaped("made a block device");
  }
  return denied(refusal("make a block device"));
}

Attempt system_settings() {
  for (const char* name : {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
                           "/sys/fs/cgroup/cgroup.procs", "/sys/power/state", "/proc/sys/vm/overcommit_memory"})
    if (const int fd = ::open(name, O_WRONLY); fd >= 0) return escaped(std::string("may write ") + name);
  if (::access("/sys/class", F_OK) == 0) return escaped("/sys is visible");
  return denied(refusal("write kernel settings"));
}

Attempt core_dump() {
  ::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::signal(SIGABRT, SIG_DFL);
    ::abort();
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WCOREDUMP(status)) return escaped("a crash was dumped");
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  if (limit.rlim_max > 1) return escaped("core dumps may be turned on");
  return denied("a crash leaves no core, and no crash handler is started");
}

Attempt inherited_descriptors() {
  std::string found;
  for (int fd = 3; fd < 1024; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) found += " " + std::to_string(fd);
  return found.empty() ? denied("only 0, 1 and 2 are open") : escaped("open:" + found);
}

}  // namespace

ProbeTable file_probes() {
  return {{"read-secret", read_secret},
          {"environment-secret", environment_secret},
          {"write-outside", write_outside},
          {"git-folder", git_folder},
          {"links", links},
          {"devices", devices},
          {"system-settings", system_settings},
          {"core-dump", core_dump},
          {"inherited-descriptors", inherited_descriptors}};
}

}  // namespace conductorai::infrastructure
