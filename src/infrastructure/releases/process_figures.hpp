#pragma once
#include <sys/types.h>

#include "infrastructure/releases/driver.hpp"

namespace conductorai::infrastructure::releases {

/// Of `first` and all that descends from it. `pid` is the first of them that is no shell, where there is one: the service.
Consumption figures_of(pid_t first);
/// Whether the process is a shell that runs a command line.
bool is_shell(pid_t process);

}  // namespace conductorai::infrastructure::releases
