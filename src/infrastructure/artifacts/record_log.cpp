#include "infrastructure/artifacts/record_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <map>

#include "core/json_codec.hpp"
#include "infrastructure/artifacts/artifact_query.hpp"
#include "infrastructure/artifacts/digest.hpp"
#include "infrastructure/artifacts/files.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kLoadedMax = 64;  // workflows

/// A file name for any id: other characters than those of our own ids become %xx.
std::string file_name(const WorkflowId& workflow) {
  std::string name;
  for (const char c : workflow.value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain) {
      name += c;
      continue;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    ((name += '%') += digits[static_cast<unsigned char>(c) >> 4]) += digits[static_cast<unsigned char>(c) & 15];
  }
  return name + ".jsonl";
}

}  // namespace

Result<void> RecordLog::open() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (!error) return {};
  errno = error.value();
  return failed("the folder of artifact records cannot be made", folder_);
}

std::filesystem::path RecordLog::path_of(const WorkflowId& workflow) const {
  return folder_ / file_name(workflow);
}

void RecordLog::read_lines(Loaded& loaded, std::string_view text) {
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    loaded.read_to += static_cast<std::int64_t>(end + 1);
    auto record = core::read_json<ArtifactRecord>(text.substr(0, end));
    // What a crash tore was never acknowledged, and the line after it begins afresh.
    if (!record || !well_formed(record->digest)) continue;
    if (loaded.by_key.try_emplace(record_key(*record), loaded.records.size()).second) loaded.records.push_back(std::move(*record));
  }
}

Result<RecordLog::Loaded*> RecordLog::load(const std::filesystem::path& path) {
  if (loaded_.size() > kLoadedMax) loaded_.clear();
  Loaded& loaded = loaded_[path.native()];
  File file = File::open(path, O_RDONLY);
  struct stat found = {};
  if (!file.is_open() && errno != ENOENT) return failed("the artifact records cannot be read", path);
  if (!file.is_open() || ::fstat(file.fd(), &found) != 0) {
    loaded = {};
    return &loaded;
  }
  if (loaded.inode != found.st_ino || found.st_size < loaded.read_to) loaded = {};
  loaded.inode = found.st_ino;
  loaded.size = found.st_size;
  if (loaded.size == loaded.read_to) return &loaded;
  std::string text;
  ::lseek(file.fd(), loaded.read_to, SEEK_SET);
  for (std::size_t before = 1; before != text.size();) {
    before = text.size();
    if (!file.read(text, std::size_t{64} << 10)) return failed("the artifact records cannot be read", path);
  }
  read_lines(loaded, text);
  return &loaded;
}

Result<ArtifactRecord> RecordLog::add(ArtifactRecord record) {
  if (record.workflow.empty()) return fail(ErrorCode::invalid_argument, "an artifact belongs to a workflow", record.name);
  const auto path = path_of(record.workflow);
  auto loaded = load(path);
  if (!loaded) return fail(loaded.error());
  if (auto known = (*loaded)->by_key.find(record_key(record)); known != (*loaded)->by_key.end()) return (*loaded)->records[known->second];
  std::string line = core::write_json(record) + "\n";
  if ((*loaded)->size > (*loaded)->read_to) line.insert(0, "\n");  // behind what a crash tore
  File file = File::open(path, O_WRONLY | O_CREAT | O_APPEND);
  if (!file.is_open()) return failed("the artifact record cannot be written", path);
  // One write, so that lines of several processes never mix. What fails half-way is torn, and the next line begins afresh.
  if (!file.write(line) || !file.sync()) return failed("the artifact record cannot be written", path);
  if ((*loaded)->inode == 0 && !sync_directory(folder_)) return failed("the folder of artifact records cannot be written", folder_);
  return record;
}

Result<std::vector<std::filesystem::path>> RecordLog::paths() const {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".jsonl") found.push_back(entry->path());
  if (!error) return found;
  errno = error.value();
  return failed("the artifact records cannot be listed", folder_);
}

Result<std::vector<ArtifactRecord>> RecordLog::query(const ArtifactQuery& query) {
  Result<std::vector<std::filesystem::path>> files = std::vector{path_of(query.workflow)};
  if (query.workflow.empty()) files = paths();
  if (!files) return fail(files.error());
  std::multimap<Timestamp, ArtifactRecord> by_age;  // keeps the order of those of one time
  for (const auto& path : *files) {
    auto loaded = load(path);
    if (!loaded) return fail(loaded.error());
    for (const ArtifactRecord& record : (*loaded)->records)
      if (matches(query, record)) by_age.emplace(record.at, record);
  }
  std::vector<ArtifactRecord> found;
  for (auto& [at, record] : by_age) {
    if (query.limit > 0 && found.size() == static_cast<std::size_t>(query.limit)) break;
    found.push_back(std::move(record));
  }
  return found;
}

std::filesystem::path RecordLog::retired_path_of(const WorkflowId& workflow) const {
  return path_of(workflow).replace_extension(".retired");
}

Result<void> RecordLog::retire(const WorkflowId& workflow) {
  const auto path = path_of(workflow);
  loaded_.erase(path.native());
  if (::rename(path.c_str(), retired_path_of(workflow).c_str()) != 0 && errno != ENOENT)
    return failed("the artifact records cannot be removed", path);
  if (!sync_directory(folder_)) return failed("the folder of artifact records cannot be written", folder_);
  return {};
}

Result<std::vector<ArtifactRecord>> RecordLog::retired(const WorkflowId& workflow) {
  const auto path = retired_path_of(workflow);
  auto loaded = load(path);
  if (!loaded) return fail(loaded.error());
  std::vector<ArtifactRecord> records = std::move((*loaded)->records);
  loaded_.erase(path.native());
  return records;
}

Result<void> RecordLog::forget(const WorkflowId& workflow) {
  const auto path = retired_path_of(workflow);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("the artifact records cannot be removed", path);
  return {};
}

Result<std::unordered_set<Digest>> RecordLog::references() {
  auto records = query({.workflow = {}, .task = {}, .agent = {}, .type = {}, .name = {}, .limit = 0});
  if (!records) return fail(records.error());
  std::unordered_set<Digest> digests;
  for (ArtifactRecord& record : *records) digests.insert(std::move(record.digest));
  return digests;
}

}  // namespace conductorai::infrastructure
