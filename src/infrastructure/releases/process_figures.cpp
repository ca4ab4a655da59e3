#include "infrastructure/releases/process_figures.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "infrastructure/sandbox/process_tree.hpp"

namespace conductorai::infrastructure::releases {

namespace {

struct Stat {
  std::string command;
  std::int64_t ticks = 0;  // its own and of the children it has waited for
  std::int64_t pages = 0;
};

/// proc_pid_stat(5): the command is in parentheses and may hold anything.
Stat stat_of(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(in, text, '\0');
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  Stat stat{.command = text.substr(open + 1, close - open - 1)};
  std::istringstream fields(text.substr(close + 1));
  std::string field;
  for (int number = 3; fields >> field; ++number) {
    if (number >= 14 && number <= 17) stat.ticks += std::atoll(field.c_str());
    if (number == 24) stat.pages = std::atoll(field.c_str());
  }
  return stat;
}

}  // namespace

Consumption figures_of(pid_t first) {
  static const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  static const std::int64_t ticks_per_second = ::sysconf(_SC_CLK_TCK);
  Consumption sum;
  if (first <= 0) return sum;
  auto processes = descendants(first);
  const auto service = std::ranges::find_if_not(processes, is_shell);
  sum.pid = service == processes.end() ? first : *service;
  processes.push_back(first);
  for (const pid_t process : processes) {
    const Stat stat = stat_of(process);
    sum.rss_bytes += stat.pages * page;
    sum.cpu_ms += stat.ticks * 1000 / ticks_per_second;
  }
  return sum;
}

bool is_shell(pid_t process) {
  const std::string command = stat_of(process).command;
  return command == "sh" || command == "dash" || command == "bash";
}

}  // namespace conductorai::infrastructure::releases
