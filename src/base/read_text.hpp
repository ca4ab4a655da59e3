#pragma once

#include <filesystem>
#include <string>

namespace conductorai {

/// What `path` holds, as far as it can be read; empty where it cannot. For small files, and those of `/proc` and
/// `/sys`, whose process or group may go away in the middle. Never throws but for memory.
std::string read_text(const std::filesystem::path& path);

}  // namespace conductorai
