#pragma once
// What standard output and input are.

#include <cstddef>

namespace conductorai::cli {

bool output_is_terminal();
/// A person can be asked: input and error output are a terminal.
bool can_ask();
/// Standard output is a terminal and NO_COLOR is not set.
bool use_colors();
/// Columns and lines of the terminal; 0 columns where output is none: nothing is cut then.
std::size_t terminal_columns();
std::size_t terminal_lines();

}  // namespace conductorai::cli
