#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "infrastructure/sandbox/probes.hpp"

namespace conductorai::infrastructure {

namespace {

pid_t prey() {
  return static_cast<pid_t>(number(kPidVariable));
}

/// In a PID namespace of one's own only the first process and we ourselves are to be seen.
Attempt other_processes() {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc"))
    seen += entry.path().filename().string().find_first_not_of("0123456789") == std::string::npos ? 1 : 0;
  if (seen > 4) return escaped(std::to_string(seen) + " processes are visible");
  return denied(std::to_string(seen) + " processes are visible, all of the sandbox");
}

Attempt signal_outside() {
  if (::kill(prey(), SIGKILL) == 0) return escaped("killed a process outside");
  return denied(refusal("kill a process outside"));
}

Attempt trace_outside() {
  if (::ptrace(PTRACE_ATTACH, prey(), nullptr, nullptr) == 0) {
    ::waitpid(prey(), nullptr, __WALL);
    ::ptrace(PTRACE_DETACH, prey(), nullptr, nullptr);
    return escaped("traced a process outside");
  }
  return denied(refusal("ptrace a process outside"));
}

Attempt memory_outside() {
  char byte = 0;
  iovec ours{&byte, 1};
  iovec theirs{reinterpret_cast<void*>(0x1000), 1};
  const long read = ::syscall(SYS_process_vm_readv, prey(), &ours, 1, &theirs, 1, 0);
  const int error = errno;
  // EFAULT: only the address was wrong, the access was granted.
  if (read >= 0 || error == EFAULT) return escaped("may read the memory of a process outside");
  if (::open(("/proc/" + variable(kPidVariable) + "/mem").c_str(), O_RDWR) >= 0) return escaped("opened the memory of a process outside");
  errno = error;
  return denied(refusal("read the memory of a process outside"));
}

/// bubblewrap's own process, the first of the namespace, keeps no capability and no way out worth taking.
Attempt become_root() {
  if (::setresuid(0, 0, 0) == 0) return escaped("is root");
  if (::setresgid(0, 0, 0) == 0) return escaped("is in root's group");
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return escaped("set-uid programs would work");
  return denied(refusal("setuid(0)"));
}

Attempt capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  ::syscall(SYS_capget, &header, data);
  if ((data[0].effective | data[0].permitted | data[1].effective | data[1].permitted) != 0) return escaped("holds capabilities");
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability)
    if (::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1) return escaped("capability " + std::to_string(capability) + " can be regained");
  return denied("holds none, can regain none");
}

Attempt namespaces() {
  ::fflush(nullptr);
  const long child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) ::_exit(0);
  if (child > 0) {
    ::waitpid(static_cast<pid_t>(child), nullptr, 0);
    return escaped("made a user namespace by clone");
  }
  const int error = errno;
  if (::unshare(CLONE_NEWUSER) == 0) return escaped("made a user namespace by unshare");
  if (::unshare(CLONE_NEWNS) == 0) return escaped("made a mount namespace");
  const int outer = ::open("/proc/1/ns/mnt", O_RDONLY);
  if (outer >= 0 && ::setns(outer, 0) == 0) return escaped("entered another mount namespace");
  errno = error;
  return denied(refusal("clone(CLONE_NEWUSER)"));
}

}  // namespace

ProbeTable process_probes() {
  return {{"other-processes", other_processes},
          {"signal-outside", signal_outside},
          {"trace-outside", trace_outside},
          {"memory-outside", memory_outside},
          {"become-root", become_root},
          {"capabilities", capabilities},
          {"namespaces", namespaces}};
}

}  // namespace conductorai::infrastructure
