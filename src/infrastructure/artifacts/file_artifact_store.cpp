#include "infrastructure/artifacts/file_artifact_store.hpp"

#include <fcntl.h>

#include "base/crash_point.hpp"
#include "infrastructure/artifacts/blob_files.hpp"
#include "infrastructure/artifacts/files.hpp"
#include "infrastructure/artifacts/read_cache.hpp"
#include "infrastructure/artifacts/record_log.hpp"
#include "runtime/offload.hpp"

namespace conductorai::infrastructure {

namespace {

/// Savers share it, a remover has it alone: bytes must not go between a saver's finding them and its record of them.
class StoreLock {
 public:
  StoreLock(const File& file, short type) : file_(file) { set(type); }
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  ~StoreLock() { set(F_UNLCK); }

 private:
  void set(short type) {
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
    ::fcntl(file_.fd(), F_OFD_SETLKW, &whole);
  }
  const File& file_;
};

}  // namespace

struct FileArtifactStore::Impl {
  Impl(const std::filesystem::path& folder, File lock_file, std::int64_t cache_bytes)
      : lock(std::move(lock_file)), blobs(folder), records(folder / "records"), cache(cache_bytes) {}

  File lock;
  BlobFiles blobs;
  RecordLog records;
  ReadCache cache;  // the loop's; all else is the worker's
  runtime::Worker worker;

  Result<ArtifactRecord> record(ArtifactRecord entry, const Result<Blob>& blob) {
    if (!blob) return fail(blob.error());
    entry.digest = blob->digest;
    entry.size = blob->size;
    return records.add(std::move(entry));
  }
  Result<ArtifactRecord> refer(ArtifactRecord entry) {
    const StoreLock shared(lock, F_RDLCK);
    const auto blob = blobs.find(entry.digest);
    return record(std::move(entry), blob);
  }
  Result<std::int64_t> remove(const std::vector<WorkflowId>& workflows) {
    const StoreLock alone(lock, F_WRLCK);
    auto left = remove_retired(workflows);  // by a crash
    if (!left) return left;
    for (const WorkflowId& workflow : workflows)
      if (auto retired = records.retire(workflow); !retired) return fail(retired.error());
    crash_point("removal.half_way");
    auto freed = remove_retired(workflows);
    if (!freed) return freed;
    return *left + *freed;
  }
  Result<std::int64_t> remove_retired(const std::vector<WorkflowId>& workflows) {
    std::vector<ArtifactRecord> gone;
    for (const WorkflowId& workflow : workflows) {
      auto retired = records.retired(workflow);
      if (!retired) return fail(retired.error());
      gone.insert(gone.end(), retired->begin(), retired->end());
    }
    if (gone.empty()) return 0;
    auto kept = records.references();
    if (!kept) return fail(kept.error());
    std::int64_t freed = 0;
    for (const ArtifactRecord& record : gone)
      if (!kept->contains(record.digest)) freed += blobs.remove(record.digest);
    for (const WorkflowId& workflow : workflows)
      if (auto forgotten = records.forget(workflow); !forgotten) return fail(forgotten.error());
    return freed;
  }
};

Result<std::unique_ptr<FileArtifactStore>> FileArtifactStore::open(std::filesystem::path state_dir, FileArtifactOptions options) {
  const auto folder = state_dir / "artifacts";
  BlobFiles blobs(folder);
  if (auto opened = blobs.open(); !opened) return fail(opened.error());
  if (auto opened = RecordLog(folder / "records").open(); !opened) return fail(opened.error());
  File lock = File::open(folder / "lock", O_RDWR | O_CREAT);
  if (!lock.is_open()) return failed("the artifact store cannot be opened", folder / "lock");
  return std::unique_ptr<FileArtifactStore>(new FileArtifactStore(std::make_unique<Impl>(folder, std::move(lock), options.cache_bytes)));
}

FileArtifactStore::FileArtifactStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileArtifactStore::~FileArtifactStore() = default;

task<Result<ArtifactRecord>> FileArtifactStore::save(ArtifactRecord record, std::string bytes) {
  co_return co_await impl_->worker.run([&, impl = impl_.get()] {
    const StoreLock shared(impl->lock, F_RDLCK);
    return impl->record(std::move(record), impl->blobs.put(bytes));
  });
}

task<Result<ArtifactRecord>> FileArtifactStore::save_file(ArtifactRecord record, std::filesystem::path file) {
  co_return co_await impl_->worker.run([&, impl = impl_.get()] {
    const StoreLock shared(impl->lock, F_RDLCK);
    return impl->record(std::move(record), impl->blobs.put_file(file));
  });
}

task<Result<std::string>> FileArtifactStore::get(Digest digest) {
  if (const std::string* cached = impl_->cache.find(digest)) co_return *cached;
  auto bytes = co_await impl_->worker.run([&, impl = impl_.get()] { return impl->blobs.get(digest); });
  if (bytes) impl_->cache.put(digest, *bytes);
  co_return bytes;
}

task<Result<void>> FileArtifactStore::get_to_file(Digest digest, std::filesystem::path file) {
  co_return co_await impl_->worker.run([&, impl = impl_.get()] { return impl->blobs.get_to_file(digest, file); });
}

task<Result<std::vector<ArtifactRecord>>> FileArtifactStore::query(ArtifactQuery query) {
  co_return co_await impl_->worker.run([&, impl = impl_.get()] { return impl->records.query(query); });
}

task<Result<ArtifactRecord>> FileArtifactStore::refer(ArtifactRecord record) {
  co_return co_await impl_->worker.run([&, impl = impl_.get()] { return impl->refer(std::move(record)); });
}

task<Result<std::int64_t>> FileArtifactStore::remove_workflows(std::vector<WorkflowId> workflows) {
  auto freed = co_await impl_->worker.run([&, impl = impl_.get()] { return impl->remove(workflows); });
  impl_->cache.clear();
  co_return freed;
}

}  // namespace conductorai::infrastructure
