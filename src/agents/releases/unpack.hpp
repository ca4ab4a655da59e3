#pragma once
#include <filesystem>
#include <string_view>

#include "conductorai/result.hpp"

namespace conductorai::agents {

/// Writes the files and symlinks of a release bundle (docs/formats/bundle.md: ustar with pax paths) below `folder`. Links are made last, so
/// that no file is written through one. Errors: data_corrupted (what is no such archive, a path that leaves the folder),
/// resource_exhausted.
Result<void> unpack_bundle(std::string_view tar, const std::filesystem::path& folder);

}  // namespace conductorai::agents
