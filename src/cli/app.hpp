#pragma once
namespace conductorai::cli {

/// The whole command line: parses, runs, returns the exit code.
int run(int argc, char** argv);

}  // namespace conductorai::cli
