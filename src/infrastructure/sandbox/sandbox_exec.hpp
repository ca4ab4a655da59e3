#pragma once
// The hidden modes of our own binary. `main` calls this first, before anything is initialised:
//   if (infrastructure::is_sandbox_exec(argc, argv)) return infrastructure::sandbox_exec_main(argc, argv);

namespace conductorai::infrastructure {

/// argv[1] is "__sandbox-exec" or "__sandbox-probe".
[[nodiscard]] bool is_sandbox_exec(int argc, char** argv);

/// `__sandbox-exec warden SOCKET_FD`: the warden (warden.hpp).
/// `__sandbox-exec supervise STATUS_FD PROGRAM ARGS…`: runs the program below a supervisor that ends every descendant with it and writes
/// "exit N", "signal N" or "errno N" to STATUS_FD (sandbox "none").
/// `__sandbox-probe NAME ARGS…`: one escape attempt of the selftest, made from inside.
int sandbox_exec_main(int argc, char** argv);

}  // namespace conductorai::infrastructure
