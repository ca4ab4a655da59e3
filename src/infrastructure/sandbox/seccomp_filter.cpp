#include "infrastructure/sandbox/seccomp_filter.hpp"

#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "infrastructure/process/fd.hpp"

namespace conductorai::infrastructure {

namespace {

/// Refused with EPERM: what changes the machine, the kernel's larger attack surfaces, and what looks into other processes or past mounts.
/// ptrace is not among them: inside its own PID namespace a program reaches only what it could as well write to through /proc/PID/mem, and
/// the leak check of every ASan program is made by ptrace.
constexpr std::array kForbidden = {SCMP_SYS(mount),
                                   SCMP_SYS(umount2),
                                   SCMP_SYS(pivot_root),
                                   SCMP_SYS(chroot),
                                   SCMP_SYS(move_mount),
                                   SCMP_SYS(open_tree),
                                   SCMP_SYS(fsopen),
                                   SCMP_SYS(fsconfig),
                                   SCMP_SYS(fsmount),
                                   SCMP_SYS(fspick),
                                   SCMP_SYS(mount_setattr),
                                   SCMP_SYS(unshare),
                                   SCMP_SYS(setns),
                                   SCMP_SYS(open_by_handle_at),
                                   SCMP_SYS(process_vm_readv),
                                   SCMP_SYS(process_vm_writev),
                                   SCMP_SYS(pidfd_getfd),
                                   SCMP_SYS(kcmp),
                                   SCMP_SYS(add_key),
                                   SCMP_SYS(keyctl),
                                   SCMP_SYS(request_key),
                                   SCMP_SYS(bpf),
                                   SCMP_SYS(perf_event_open),
                                   SCMP_SYS(userfaultfd),
                                   SCMP_SYS(syslog),
                                   SCMP_SYS(kexec_load),
                                   SCMP_SYS(kexec_file_load),
                                   SCMP_SYS(init_module),
                                   SCMP_SYS(finit_module),
                                   SCMP_SYS(delete_module),
                                   SCMP_SYS(swapon),
                                   SCMP_SYS(swapoff),
                                   SCMP_SYS(reboot),
                                   SCMP_SYS(acct),
                                   SCMP_SYS(quotactl),
                                   SCMP_SYS(settimeofday),
                                   SCMP_SYS(clock_settime),
                                   SCMP_SYS(clock_adjtime),
                                   SCMP_SYS(adjtimex),
                                   SCMP_SYS(iopl),
                                   SCMP_SYS(ioperm),
                                   SCMP_SYS(sethostname),
                                   SCMP_SYS(setdomainname),
                                   SCMP_SYS(vhangup),
                                   SCMP_SYS(fanotify_init),
                                   SCMP_SYS(lookup_dcookie)};

/// "Not there", so that programs take their fallback: io_uring passes the filter by, memory behind a memfd belongs to no process that the
/// watchdog could count, and clone3 hides its flags in memory where a filter cannot look.
constexpr std::array kAbsent = {SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
                                SCMP_SYS(memfd_create),   SCMP_SYS(memfd_secret),   SCMP_SYS(clone3)};

// Time namespaces are not here: in clone's low byte stands the exit signal, they are made by unshare and clone3 only.
constexpr std::array<std::uint64_t, 7> kNamespaceFlags = {CLONE_NEWNS,  CLONE_NEWUSER, CLONE_NEWPID,   CLONE_NEWNET,
                                                          CLONE_NEWIPC, CLONE_NEWUTS,  CLONE_NEWCGROUP};

/// Shared memory that no process maps is counted by nobody: small segments (databases lock with them) are let through.
constexpr std::uint64_t kSharedSegmentMax = 64 << 10;

/// libseccomp's own macros are C99 compound literals.
scmp_arg_cmp argument(unsigned index, scmp_compare op, scmp_datum_t a, scmp_datum_t b = 0) {
  return {index, op, a, b};
}
constexpr scmp_datum_t kLow32 = 0xFFFFFFFFU;

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Filter = std::unique_ptr<void, Release>;

bool add_sockets(void* filter) {
  // Only families that the network namespace or the mounts confine; AF_VSOCK, for one, would reach the hypervisor.
  int result = 0;
  for (unsigned family = 0; family < 64; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
    result |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, argument(0, SCMP_CMP_MASKED_EQ, kLow32, family));
  }
  return result == 0;
}

bool add_rules(void* filter) {
  int result = 0;
  for (const int call : kForbidden) result |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
  for (const int call : kAbsent) result |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0);
  for (const auto flag : kNamespaceFlags)
    result |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, argument(0, SCMP_CMP_MASKED_EQ, flag, flag));
  // Typing into the terminal behind us. The kernel looks at 32 bits of the request, so the filter does.
  result |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, argument(1, SCMP_CMP_MASKED_EQ, kLow32, TIOCSTI));
  result |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, argument(1, SCMP_CMP_MASKED_EQ, kLow32, TIOCLINUX));
  result |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSPC), SCMP_SYS(shmget), 1, argument(1, SCMP_CMP_GT, kSharedSegmentMax));
  return result == 0 && add_sockets(filter);
}

Result<std::string> compile() {
  const auto refused = [] { return fail(ErrorCode::unavailable, "cannot compile the seccomp filter"); };
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter || !add_rules(filter.get())) return refused();
  const UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file || seccomp_export_bpf(filter.get(), file.get()) != 0) return refused();
  std::string bytes(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
  if (::pread(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return refused();
  return bytes;
}

}  // namespace

Result<std::string> seccomp_filter() {
  static const Result<std::string> compiled = compile();
  return compiled;
}

}  // namespace conductorai::infrastructure
