#include "infrastructure/sandbox/sandbox_exec.hpp"

int main(int argc, char** argv) {
  return conductorai::infrastructure::sandbox_exec_main(argc, argv);
}
