#include "base/read_text.hpp"

#include <fstream>
#include <sstream>
#include <utility>

namespace conductorai {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();  // an istreambuf_iterator would throw where reading fails
  return std::move(text).str();
}

}  // namespace conductorai
