#include "infrastructure/artifacts/blob_files.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "infrastructure/artifacts/digest.hpp"
#include "infrastructure/artifacts/files.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;

std::unexpected<Error> missing(const Digest& digest) {
  return fail(ErrorCode::not_found, "no such artifact", digest.value);
}

std::unexpected<Error> corrupted(const Digest& digest, const std::filesystem::path& where) {
  return fail(ErrorCode::data_corrupted, "the bytes of artifact " + digest.value + " no longer match its digest", where);
}

/// Copies `from` to `to` and hashes what passes.
Result<Blob> copy(File& from, const std::filesystem::path& from_path, File& to, const std::filesystem::path& to_path) {
  Sha256 hash;
  std::string chunk;
  std::int64_t size = 0;
  while (true) {
    chunk.clear();
    if (!from.read(chunk, kChunk)) return failed("cannot read", from_path);
    if (chunk.empty()) break;
    hash.update(chunk);
    size += static_cast<std::int64_t>(chunk.size());
    if (!to.write(chunk)) return failed("cannot write", to_path);
  }
  return Blob{digest_of(hash), size};
}

/// A file that has no name yet; gone with this object unless it got one.
class Temporary {
 public:
  explicit Temporary(const std::filesystem::path& folder) : path_(folder / "XXXXXX"), file_(::mkostemp(path_.data(), O_CLOEXEC)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (file_.is_open()) ::unlink(path_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] File& file() { return file_; }

 private:
  std::string path_;
  File file_;
};

/// A crash leaves them; a living writer never takes this long.
void remove_old_files(const std::filesystem::path& folder) {
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24);
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    if (entry->last_write_time(gone) < old && !gone) std::filesystem::remove(entry->path(), gone);
  }
}

}  // namespace

Result<void> BlobFiles::open() {
  std::error_code error;
  std::filesystem::create_directories(root_ / "tmp", error);
  if (!error) std::filesystem::create_directories(root_ / "sha256", error);
  if (error) {
    errno = error.value();
    return failed("the artifact folder cannot be made", root_);
  }
  remove_old_files(root_ / "tmp");
  return {};
}

bool BlobFiles::has(const Blob& blob) const {
  const auto path = path_of(blob.digest);
  struct stat found = {};
  if (::stat(path.c_str(), &found) != 0 || found.st_size != blob.size) return false;
  return sync_directory(path.parent_path());  // whoever wrote it may not have come to that yet
}

std::filesystem::path BlobFiles::path_of(const Digest& digest) const {
  const std::string hex = digest.value.substr(7);
  return root_ / "sha256" / hex.substr(0, 2) / hex.substr(2);
}

Result<Blob> BlobFiles::put(std::string_view bytes) {
  Blob blob{digest_of(bytes), static_cast<std::int64_t>(bytes.size())};
  if (has(blob)) return blob;
  Temporary temporary(root_ / "tmp");
  File& out = temporary.file();
  if (!out.is_open() || !out.write(bytes) || !out.sync()) return failed("the artifact cannot be written", temporary.path());
  if (auto adopted = adopt(temporary.path(), blob.digest); !adopted) return fail(adopted.error());
  return blob;
}

Result<Blob> BlobFiles::put_file(const std::filesystem::path& file) {
  auto in = open_regular(file);
  if (!in) return fail(in.error());
  Temporary temporary(root_ / "tmp");
  if (!temporary.file().is_open()) return failed("the artifact cannot be written", temporary.path());
  auto blob = copy(*in, file, temporary.file(), temporary.path());
  if (!blob || has(*blob)) return blob;
  if (!temporary.file().sync()) return failed("the artifact cannot be written", temporary.path());
  if (auto adopted = adopt(temporary.path(), blob->digest); !adopted) return fail(adopted.error());
  return blob;
}

Result<void> BlobFiles::adopt(const std::filesystem::path& temporary, const Digest& digest) {
  const auto path = path_of(digest);
  const auto folder = path.parent_path();
  if (::mkdir(folder.c_str(), 0755) == 0) {
    if (!sync_directory(folder.parent_path())) return failed("the artifact folder cannot be written", folder);
  } else if (errno != EEXIST) {
    return failed("the artifact folder cannot be made", folder);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0 || !sync_directory(folder)) return failed("the artifact cannot be written", path);
  return {};
}

Result<std::string> BlobFiles::get(const Digest& digest) const {
  if (!well_formed(digest)) return missing(digest);
  const auto path = path_of(digest);
  File in = File::open(path, O_RDONLY);
  if (!in.is_open()) return errno == ENOENT ? missing(digest) : failed("the artifact cannot be read", path);
  std::string bytes;
  for (std::size_t before = 1; before != bytes.size();) {
    before = bytes.size();
    if (!in.read(bytes, kChunk)) return failed("the artifact cannot be read", path);
  }
  if (digest_of(bytes) != digest) return corrupted(digest, path);
  return bytes;
}

Result<void> BlobFiles::get_to_file(const Digest& digest, const std::filesystem::path& file) const {
  if (!well_formed(digest)) return missing(digest);
  const auto path = path_of(digest);
  File in = File::open(path, O_RDONLY);
  if (!in.is_open()) return errno == ENOENT ? missing(digest) : failed("the artifact cannot be read", path);
  File out = File::open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
  if (!out.is_open()) return failed("cannot write", file);
  auto copied = copy(in, path, out, file);
  if (copied && copied->digest == digest) return {};
  ::unlink(file.c_str());  // half an artifact, or another one, is worse than none
  if (!copied) return fail(copied.error());
  return corrupted(digest, path);
}

Result<Blob> BlobFiles::find(const Digest& digest) const {
  std::error_code error;
  const auto size = well_formed(digest) ? std::filesystem::file_size(path_of(digest), error) : 0;
  if (error || !well_formed(digest)) return missing(digest);
  return Blob{digest, static_cast<std::int64_t>(size)};
}

std::int64_t BlobFiles::remove(const Digest& digest) {
  if (!well_formed(digest)) return 0;
  std::error_code error;
  const auto size = std::filesystem::file_size(path_of(digest), error);
  return !error && ::unlink(path_of(digest).c_str()) == 0 ? static_cast<std::int64_t>(size) : 0;
}

}  // namespace conductorai::infrastructure
