#include "infrastructure/artifacts/memory_artifact_store.hpp"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "infrastructure/artifacts/artifact_query.hpp"
#include "infrastructure/artifacts/digest.hpp"
#include "infrastructure/artifacts/files.hpp"

namespace conductorai::infrastructure {

struct MemoryArtifactStore::Impl {
  std::vector<ArtifactRecord> records;                  // in order of saving
  std::unordered_map<std::string, Timestamp> saved_at;  // by record key
  std::unordered_map<Digest, std::string> bytes;

  ArtifactRecord save(ArtifactRecord record, std::string content) {
    record.digest = digest_of(content);
    record.size = static_cast<std::int64_t>(content.size());
    bytes.try_emplace(record.digest, std::move(content));
    const auto [known, fresh] = saved_at.try_emplace(record_key(record), record.at);
    record.at = known->second;
    if (fresh) records.push_back(record);
    return record;
  }
};

MemoryArtifactStore::MemoryArtifactStore() : impl_(std::make_unique<Impl>()) {}
MemoryArtifactStore::~MemoryArtifactStore() = default;

task<Result<ArtifactRecord>> MemoryArtifactStore::save(ArtifactRecord record, std::string bytes) {
  if (record.workflow.empty()) co_return fail(ErrorCode::invalid_argument, "an artifact belongs to a workflow", record.name);
  co_return impl_->save(std::move(record), std::move(bytes));
}

task<Result<ArtifactRecord>> MemoryArtifactStore::save_file(ArtifactRecord record, std::filesystem::path file) {
  auto in = open_regular(file);
  if (!in) co_return fail(in.error());
  std::string bytes;
  for (std::size_t before = 1; before != bytes.size();) {
    before = bytes.size();
    if (!in->read(bytes, std::size_t{256} << 10)) co_return failed("cannot read", file);
  }
  co_return co_await save(std::move(record), std::move(bytes));
}

task<Result<std::string>> MemoryArtifactStore::get(Digest digest) {
  auto found = impl_->bytes.find(digest);
  if (found == impl_->bytes.end()) co_return fail(ErrorCode::not_found, "no such artifact", digest.value);
  co_return found->second;
}

task<Result<void>> MemoryArtifactStore::get_to_file(Digest digest, std::filesystem::path file) {
  auto found = impl_->bytes.find(digest);
  if (found == impl_->bytes.end()) co_return fail(ErrorCode::not_found, "no such artifact", digest.value);
  File out = File::open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
  if (!out.is_open() || !out.write(found->second)) co_return failed("cannot write", file);
  co_return Result<void>{};
}

task<Result<std::vector<ArtifactRecord>>> MemoryArtifactStore::query(ArtifactQuery query) {
  std::multimap<Timestamp, const ArtifactRecord*> by_age;  // keeps the order of those of one time
  for (const ArtifactRecord& record : impl_->records)
    if (matches(query, record)) by_age.emplace(record.at, &record);
  std::vector<ArtifactRecord> found;
  for (const auto& [at, record] : by_age) {
    if (query.limit > 0 && found.size() == static_cast<std::size_t>(query.limit)) break;
    found.push_back(*record);
  }
  co_return found;
}

task<Result<ArtifactRecord>> MemoryArtifactStore::refer(ArtifactRecord record) {
  auto found = impl_->bytes.find(record.digest);
  if (found == impl_->bytes.end()) co_return fail(ErrorCode::not_found, "no such artifact", record.digest.value);
  std::string bytes = found->second;
  co_return co_await save(std::move(record), std::move(bytes));
}

task<Result<std::int64_t>> MemoryArtifactStore::remove_workflows(std::vector<WorkflowId> workflows) {
  std::erase_if(impl_->records, [&](const ArtifactRecord& record) {
    if (std::ranges::find(workflows, record.workflow) == workflows.end()) return false;
    impl_->saved_at.erase(record_key(record));
    return true;
  });
  std::set<Digest> kept;
  for (const ArtifactRecord& record : impl_->records) kept.insert(record.digest);
  std::int64_t freed = 0;
  std::erase_if(impl_->bytes, [&](const auto& entry) {
    if (kept.contains(entry.first)) return false;
    freed += static_cast<std::int64_t>(entry.second.size());
    return true;
  });
  co_return freed;
}

}  // namespace conductorai::infrastructure
