#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "infrastructure/sandbox/probes.hpp"

namespace conductorai::infrastructure {

namespace {

Attempt mounting() {
  ::mkdir("mountpoint", 0700);
  if (::mount("none", "mountpoint", "tmpfs", 0, nullptr) == 0) {
    ::umount2("mountpoint", MNT_DETACH);
    return escaped("mounted a tmpfs");
  }
  const int error = errno;
  if (::mount(nullptr, "/usr", nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0) return escaped("made /usr writable");
  if (::umount2("/proc", MNT_DETACH) == 0) return escaped("unmounted /proc");
  errno = error;
  return denied(refusal("mount"));
}

Attempt changing_root() {
  if (::chroot(".") == 0) return escaped("changed its root");
  return denied(refusal("chroot"));
}

Attempt keyring() {
  if (::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0) >= 0) return escaped("reached the user's keyring");
  if (::syscall(SYS_add_key, "user", "conductorai-probe", "x", 1, KEY_SPEC_PROCESS_KEYRING) >= 0) return escaped("added a key");
  return denied(refusal("keyctl"));
}

Attempt kernel_log() {
  char text[64];
  if (::klogctl(3, text, sizeof text) >= 0) return escaped("read the kernel's log");
  const int error = errno;
  if (::open("/dev/kmsg", O_RDONLY | O_NONBLOCK) >= 0) return escaped("opened /dev/kmsg");
  errno = error;
  return denied(refusal("read the kernel's log"));
}

/// Each with arguments that do nothing; any answer but a refusal means the door is open.
Attempt kernel_doors() {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  struct Door {
    const char* name;
    long result;
    int error;
  };
  const auto try_door = [](const char* name, auto... args) {
    const long result = ::syscall(args...);
    return Door{name, result, errno};
  };
  for (const Door& door :
       {try_door("bpf", SYS_bpf, 0, nullptr, 0), try_door("perf_event_open", SYS_perf_event_open, &attributes, 0, -1, -1, 0),
        try_door("userfaultfd", SYS_userfaultfd, 0), try_door("io_uring_setup", SYS_io_uring_setup, 0, nullptr),
        try_door("open_by_handle_at", SYS_open_by_handle_at, -1, nullptr, 0), try_door("init_module", SYS_init_module, nullptr, 0, ""),
        try_door("kexec_load", SYS_kexec_load, 0, 0, nullptr, 0x80000000UL), try_door("swapoff", SYS_swapoff, "/no/such/file"),
        try_door("fsopen", SYS_fsopen, "no-such-file-system", 0)})
    if (door.result >= 0 || (door.error != EPERM && door.error != ENOSYS && door.error != EACCES)) {
      errno = door.error;
      return escaped(refusal(std::string(door.name) + " is open"));
    }
  return denied("bpf, perf events, userfaultfd, io_uring, file handles, modules, kexec, swap and the new mount calls are refused");
}

Attempt terminal() {
  char key = 'x';
  if (::ioctl(0, TIOCSTI, &key) == 0 || errno != EPERM)
    return escaped(refusal("typing into a terminal is only stopped by there being none"));
  if (::open("/dev/tty", O_RDWR) >= 0) return escaped("opened the user's terminal");
  return denied(refusal("open the user's terminal"));
}

/// Memory that belongs to no process would be counted by nobody.
Attempt uncounted_memory() {
  if (::syscall(SYS_memfd_create, "probe", 0) >= 0) return escaped("has files that are memory");
  const int segment = ::shmget(IPC_PRIVATE, std::size_t{64} << 20, IPC_CREAT | 0600);
  if (segment >= 0) {
    ::shmctl(segment, IPC_RMID, nullptr);
    return escaped("has a shared segment of 64 MiB");
  }
  return denied(refusal("keep memory outside of any process"));
}

}  // namespace

ProbeTable kernel_probes() {
  return {{"mounting", mounting},
          {"changing-root", changing_root},
          {"keyring", keyring},
          {"kernel-log", kernel_log},
          {"kernel-doors", kernel_doors},
          {"terminal", terminal},
          {"uncounted-memory", uncounted_memory}};
}

}  // namespace conductorai::infrastructure
