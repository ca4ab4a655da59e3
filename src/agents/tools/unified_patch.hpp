#pragma once
// Unified diffs as models write them: read leniently where nothing can be mistaken, applied only where they fit exactly.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::agents {

struct PatchLine {
  char kind = ' ';  // ' ' stays, '-' goes, '+' comes
  std::string text;
  bool ends_file = false;  // "\ No newline at end of file" follows
};
struct PatchHunk {
  std::int64_t old_line = 0;  // where it is said to stand, from 1; 0: not said
  std::vector<PatchLine> lines;
};
struct FilePatch {
  std::string path;
  bool creates = false;
  bool deletes = false;
  std::vector<PatchHunk> hunks;
};

/// One entry a file, in order. Counts in hunk headers are not relied on. Errors: invalid_argument, in words for the model (no patch in it,
/// a rename, a binary patch, a file twice).
Result<std::vector<FilePatch>> parse_patch(std::string_view text);

/// The file after the patch; nullopt when it is deleted. `before`: nullopt when there is no such file. A hunk stands where its lines are:
/// the place nearest to where it says. Errors: invalid_argument with the lines that do not fit.
Result<std::optional<std::string>> apply_patch(const FilePatch& patch, const std::optional<std::string>& before);

}  // namespace conductorai::agents
