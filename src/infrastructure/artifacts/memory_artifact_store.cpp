#include "infrastructure/artifacts/memory_artifact_store.hpp"

#include <fstream>
#include <iterator>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "infrastructure/artifacts/artifact_query.hpp"
#include "infrastructure/artifacts/digest.hpp"

namespace conductorai::infrastructure {

struct MemoryArtifactStore::Impl {
  std::vector<ArtifactRecord> records;  // in order of saving
  std::unordered_set<std::string> keys;
  std::unordered_map<Digest, std::string> bytes;

  ArtifactRecord save(ArtifactRecord record, std::string content) {
    record.digest = digest_of(content);
    record.size = static_cast<std::int64_t>(content.size());
    bytes.try_emplace(record.digest, std::move(content));
    if (keys.insert(record_key(record)).second) records.push_back(record);
    return record;
  }
};

MemoryArtifactStore::MemoryArtifactStore() : impl_(std::make_unique<Impl>()) {}
MemoryArtifactStore::~MemoryArtifactStore() = default;

task<Result<ArtifactRecord>> MemoryArtifactStore::save(ArtifactRecord record, std::string bytes) {
  co_return impl_->save(std::move(record), std::move(bytes));
}

task<Result<ArtifactRecord>> MemoryArtifactStore::save_file(ArtifactRecord record, std::filesystem::path file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file)) co_return fail(ErrorCode::not_found, "no such file", file);
  co_return impl_->save(std::move(record), std::string(std::istreambuf_iterator<char>(in), {}));
}

task<Result<std::string>> MemoryArtifactStore::get(Digest digest) {
  auto found = impl_->bytes.find(digest);
  if (found == impl_->bytes.end()) co_return fail(ErrorCode::not_found, "no such artifact", digest.value);
  co_return found->second;
}

task<Result<void>> MemoryArtifactStore::get_to_file(Digest digest, std::filesystem::path file) {
  auto found = impl_->bytes.find(digest);
  if (found == impl_->bytes.end()) co_return fail(ErrorCode::not_found, "no such artifact", digest.value);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << found->second << std::flush;
  if (!out) co_return fail(ErrorCode::unavailable, "cannot write the file", file);
  co_return Result<void>{};
}

task<Result<std::vector<ArtifactRecord>>> MemoryArtifactStore::query(ArtifactQuery query) {
  std::vector<ArtifactRecord> found;
  for (const ArtifactRecord& record : impl_->records) {
    if (query.limit > 0 && found.size() == static_cast<std::size_t>(query.limit)) break;
    if (matches(query, record)) found.push_back(record);
  }
  co_return found;
}

task<Result<std::int64_t>> MemoryArtifactStore::remove_workflow(WorkflowId workflow) {
  std::erase_if(impl_->records, [&](const ArtifactRecord& record) {
    if (record.workflow != workflow) return false;
    impl_->keys.erase(record_key(record));
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
