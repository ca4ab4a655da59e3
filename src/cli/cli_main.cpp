#include "cli/app.hpp"
#include "conductorai/conductorai.hpp"

int main(int argc, char** argv) {
  // The sandbox starts this binary again as its own helper: that must happen before anything of the command line is looked at.
  if (auto exit_code = conductorai::run_internal_command(argc, argv)) return *exit_code;
  return conductorai::cli::run(argc, argv);
}
