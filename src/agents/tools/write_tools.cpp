// write_file and apply_patch: a call changes all it names, or nothing.

#include <algorithm>

#include "agents/tools/tools.hpp"
#include "agents/tools/unified_patch.hpp"
#include "base/human.hpp"
#include "base/printable.hpp"

namespace conductorai::agents {
namespace {

constexpr std::size_t kContentBytesMax = std::size_t{4} << 20;
constexpr std::size_t kPatchBytesMax = std::size_t{2} << 20;
constexpr std::size_t kPatchFilesMax = 200;

/// One name a file: "./a.py" is "a.py" to those who judge by it.
std::string plain_path(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().generic_string();
}

struct Change {
  std::string path;
  std::optional<std::string> before, after;
};

/// Why not, in words; empty when it may.
task<Result<std::string>> reason_against(ToolSetting setting, Change change) {
  if (change.after && change.after->size() > kContentBytesMax)
    co_return "the file would have " + size_text(static_cast<std::int64_t>(change.after->size())) + "; 4 MiB are allowed";
  if (!setting.access->refuse) co_return std::string();
  auto at_base = co_await setting.workspace->file_at(setting.workspace->base(), change.path);
  if (!at_base) {
    if (at_base.error().code == ErrorCode::cancelled) co_return fail(at_base.error());
    co_return to_string(at_base.error());
  }
  co_return setting.access->refuse(change.path, *at_base, change.after);
}

task<Result<void>> put(Workspace& workspace, std::string path, std::optional<std::string> content) {
  if (content) {
    auto written = co_await workspace.write(std::move(path), std::move(*content));
    co_return written;
  }
  auto removed = co_await workspace.remove(std::move(path));
  co_return removed;
}

/// What git does not look at is no part of the change, and a resumed attempt would not find it.
task<Result<std::string>> ignored_among(Workspace& workspace, std::vector<Change> changes) {
  const auto added = [](const Change& change) { return change.after && !change.before; };
  if (std::ranges::none_of(changes, added)) co_return std::string();
  auto files = co_await workspace.list_files();
  if (!files) co_return fail(files.error());
  for (const Change& change : changes)
    if (added(change) && !std::ranges::binary_search(*files, change.path))
      co_return printable_line(change.path, 200) + " is ignored by .gitignore: it would not be part of the change";
  co_return std::string();
}

task<Result<std::string>> put_all(Workspace& workspace, std::vector<Change> changes) {
  for (const Change& change : changes) {
    auto done = co_await put(workspace, change.path, change.after);
    if (done) continue;
    auto refused = refusal_or_error(done.error(), ToolEffect::writes);
    if (!refused) co_return fail(refused.error());
    co_return refused->text;
  }
  auto ignored = co_await ignored_among(workspace, std::move(changes));
  co_return ignored;
}

task<Result<ToolAnswer>> change_files(ToolSetting setting, std::vector<Change> changes, std::string done_text) {
  for (const Change& change : changes) {
    auto reason = co_await reason_against(setting, change);
    if (!reason) co_return fail(reason.error());
    if (!reason->empty()) co_return refusal(printable_line(change.path, 200) + ": " + *reason + "\nnothing was changed\n");
  }
  auto before = co_await setting.workspace->snapshot();
  if (!before) co_return fail(before.error());
  auto wrong = co_await put_all(*setting.workspace, std::move(changes));
  if (!wrong) co_return fail(wrong.error());
  if (wrong->empty()) co_return ToolAnswer{.text = std::move(done_text), .attributes = {}};
  auto restored = co_await setting.workspace->restore(*before);
  if (!restored) co_return fail(restored.error());
  co_return refusal(*wrong + "\nnothing was changed\n");
}

/// Nullopt: no such file. A path that may not be read is a failed answer.
task<Result<std::optional<std::string>>> present(Workspace& workspace, std::string path) {
  auto content = co_await workspace.read(std::move(path));
  if (content) co_return std::optional(std::move(*content));
  if (content.error().code == ErrorCode::not_found) co_return std::optional<std::string>{};
  co_return fail(content.error());
}

task<Result<ToolAnswer>> write_file(ToolSetting setting, Object arguments) {
  const std::string path = plain_path(text_argument(arguments, "path"));
  const auto content = arguments.find("content");
  auto before = co_await present(*setting.workspace, path);
  if (!before) co_return refusal_or_error(before.error(), ToolEffect::reads);
  Change change{.path = path, .before = std::move(*before), .after = {}};
  if (const std::string* text = content->second.as_string()) change.after = *text;
  if (!change.after && !change.before) co_return refusal(printable_line(path, 200) + " is not there, so it cannot be deleted\n");
  const std::string done = change.after ? "written: " + printable_line(path, 200) + ", " + std::to_string(change.after->size()) + " bytes\n"
                                        : "deleted: " + printable_line(path, 200) + "\n";
  std::vector<Change> changes;
  changes.push_back(std::move(change));
  auto answer = co_await change_files(std::move(setting), std::move(changes), done);
  co_return answer;
}

struct Planned {
  std::vector<Change> changes;
  std::string done;     // what to say of it
  std::string refused;  // instead
};

task<Result<Planned>> plan(Workspace& workspace, std::vector<FilePatch> files) {
  Planned planned;
  for (const FilePatch& file : files) {
    auto before = co_await present(workspace, file.path);
    if (!before) {
      auto refused = refusal_or_error(before.error(), ToolEffect::reads);
      if (!refused) co_return fail(refused.error());
      planned.refused = refused->text;
      co_return planned;
    }
    auto after = apply_patch(file, *before);
    if (!after) {
      planned.refused = after.error().message;
      co_return planned;
    }
    planned.done += (file.creates ? "added: " : file.deletes ? "deleted: " : "patched: ") + printable_line(file.path, 200) + "\n";
    planned.changes.push_back({.path = file.path, .before = std::move(*before), .after = std::move(*after)});
  }
  co_return planned;
}

task<Result<ToolAnswer>> apply_patch_call(ToolSetting setting, Object arguments) {
  auto files = parse_patch(text_argument(arguments, "patch"));
  if (!files) co_return refusal(files.error().message + "\nnothing was changed\n");
  if (files->size() > kPatchFilesMax)
    co_return refusal("the patch changes " + std::to_string(files->size()) + " files; " + std::to_string(kPatchFilesMax) +
                      " are allowed\n");
  auto planned = co_await plan(*setting.workspace, std::move(*files));
  if (!planned) co_return fail(planned.error());
  if (!planned->refused.empty()) co_return refusal(planned->refused + "\nnothing was changed\n");
  auto answer = co_await change_files(std::move(setting), std::move(planned->changes), std::move(planned->done));
  co_return answer;
}

}  // namespace

Tool write_file_tool() {
  return {.name = "write_file",
          .description = "Writes a file whole, making its folders; with content null it is deleted.",
          .parameters = {{.name = "path", .required = true, .description = "relative to the workspace's root"},
                         {.name = "content",
                          .type = ToolParameter::Type::text_or_null,
                          .required = true,
                          .description = "the file's whole text; null deletes the file",
                          .bytes_max = kContentBytesMax}},
          .effect = ToolEffect::writes,
          .perform = write_file};
}

Tool apply_patch_tool() {
  return {.name = "apply_patch",
          .description =
              "Applies a unified diff to files of the workspace: all of it, or nothing. Context lines must stand in the file as "
              "they are given. `--- /dev/null` adds a file, `+++ /dev/null` deletes one; renames are not taken.",
          .parameters = {{.name = "patch",
                          .required = true,
                          .description = "per file `--- a/path`, `+++ b/path`, then hunks `@@ -12,3 +12,4 @@`",
                          .bytes_max = kPatchBytesMax}},
          .effect = ToolEffect::writes,
          .perform = apply_patch_call};
}

}  // namespace conductorai::agents
