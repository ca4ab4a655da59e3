#include "integrations/llm/answer_cache.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "base/read_text.hpp"
#include "core/codec.hpp"
#include "core/json_codec.hpp"
#include "integrations/llm/handing_on.hpp"
#include "integrations/llm/ledger.hpp"

namespace conductorai::integrations {

namespace fs = std::filesystem;

namespace {

struct Kept {
  std::int64_t at_ms = 0;
  LLMResponse answer;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (at_ms, answer))

bool worth_keeping(const LLMResponse& answer) {
  return answer.finish == FinishReason::stop || answer.finish == FinishReason::tool_calls;
}

bool asks_anew(const LLMRequest& request) {
  return request.caller.attempt.attempt > 1;
}

struct KeptFile {
  fs::path path;
  fs::file_time_type written;
  std::int64_t bytes = 0;
};

std::vector<KeptFile> kept_files(const fs::path& folder) {
  std::vector<KeptFile> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (!at->is_regular_file(gone)) continue;
    const auto written = at->last_write_time(gone);
    const auto bytes = at->file_size(gone);
    if (!gone) files.push_back({at->path(), written, static_cast<std::int64_t>(bytes)});
  }
  return files;
}

/// Whole or not at all; whether it could be written.
bool write_whole(const fs::path& path, const std::string& bytes) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  const fs::path fresh = path.string() + "." + std::to_string(::getpid());
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << bytes;
    out.close();
    if (!out) {
      fs::remove(fresh, error);
      return false;
    }
  }
  fs::permissions(fresh, fs::perms::owner_read | fs::perms::owner_write, error);
  fs::rename(fresh, path, error);
  return !error;
}

}  // namespace

std::string AnswerCache::key_of(const std::string& service, const LLMRequest& request) {
  return core::sha256_hex(service + "\n" + request_digest(request));
}

fs::path AnswerCache::file_of(const std::string& key) const {
  return options_.folder / key.substr(0, 2) / (key.substr(2) + ".json");
}

bool AnswerCache::fresh(Timestamp at) const {
  const auto age = clock_.now() - at;
  return age.count() >= 0 && age < options_.ttl;
}

void AnswerCache::forget(Entries::iterator entry) {
  memory_bytes_ -= entry->bytes;
  of_key_.erase(entry->key);
  entries_.erase(entry);
}

void AnswerCache::remember(Entry entry) {
  if (const auto known = of_key_.find(entry.key); known != of_key_.end()) forget(known->second);
  memory_bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  of_key_[entries_.front().key] = entries_.begin();
  while (memory_bytes_ > options_.memory_bytes_max && entries_.size() > 1) forget(std::prev(entries_.end()));
}

bool AnswerCache::load(const std::string& key) {
  const std::string text = read_text(file_of(key));
  auto kept = core::read_json<Kept>(text);
  if (!kept) return false;
  const Timestamp at{Milliseconds(kept->at_ms)};
  if (!fresh(at)) return false;
  remember({.key = key, .at = at, .bytes = static_cast<std::int64_t>(text.size()), .answer = std::move(kept->answer)});
  return true;
}

std::optional<LLMResponse> AnswerCache::find(const std::string& key) {
  auto known = of_key_.find(key);
  if (known != of_key_.end() && !fresh(known->second->at)) {
    forget(known->second);
    known = of_key_.end();
  }
  if (known == of_key_.end()) {
    if (!load(key)) return std::nullopt;
    known = of_key_.find(key);
  }
  entries_.splice(entries_.begin(), entries_, known->second);
  LLMResponse answer = known->second->answer;
  answer.usage = {.cached_calls = 1};
  return answer;
}

void AnswerCache::make_room(std::int64_t bytes) {
  if (disk_bytes_ && *disk_bytes_ + bytes <= options_.bytes_max) return;
  auto files = kept_files(options_.folder);
  std::ranges::sort(files, {}, &KeptFile::written);
  std::int64_t all = 0;
  for (const KeptFile& file : files) all += file.bytes;
  // A tenth below, so that not every answer pays for a look at all of them.
  const std::int64_t wanted = all + bytes > options_.bytes_max ? options_.bytes_max * 9 / 10 : options_.bytes_max;
  for (const KeptFile& file : files) {
    if (all + bytes <= wanted) break;
    std::error_code error;
    if (fs::remove(file.path, error)) all -= file.bytes;
  }
  disk_bytes_ = all;
}

void AnswerCache::put(const std::string& key, LLMResponse answer) {
  const Timestamp at = clock_.now();
  const std::string text = core::write_json(Kept{.at_ms = at.time_since_epoch().count(), .answer = answer});
  const auto bytes = static_cast<std::int64_t>(text.size());
  if (bytes > options_.bytes_max) return;
  make_room(bytes);
  if (write_whole(file_of(key), text)) *disk_bytes_ += bytes;
  remember({.key = key, .at = at, .bytes = bytes, .answer = std::move(answer)});
}

bool CachingProvider::holds(const LLMRequest& request) {
  return !asks_anew(request) && cache_.find(AnswerCache::key_of(service_, request)).has_value();
}

task<Result<LLMResponse>> CachingProvider::chat(LLMRequest request) {
  return found_or_asked(std::make_unique<LLMRequest>(std::move(request)));
}

std::unique_ptr<Result<LLMResponse>> CachingProvider::hit(const std::string& key, const LLMRequest& request) {
  auto found = cache_.find(key);
  if (!found) return nullptr;
  if (request.on_text && !found->text.empty()) request.on_text(found->text);
  return std::make_unique<Result<LLMResponse>>(std::move(*found));
}

task<Result<LLMResponse>> CachingProvider::found_or_asked(std::unique_ptr<LLMRequest> request) {
  const std::string key = AnswerCache::key_of(service_, *request);
  // An answer that is paid already is waited for.
  while (!asks_anew(*request) && request->ticket.empty()) {
    if (auto answer = hit(key, *request)) co_return answer;
    const auto flight = cache_.flights_.find(key);
    if (flight == cache_.flights_.end()) break;
    const auto landed = flight->second;
    auto waited = co_await landed->wait();
    if (!waited) co_return fail(waited.error());
  }
  // Whoever asks first asks for all; when it fails, the next of them does.
  const bool leads = cache_.flights_.try_emplace(key, std::make_shared<runtime::Event>()).second;
  auto call = hand_on(inner_, std::move(request));
  auto answer = co_await std::move(call).boxed();
  if (*answer && worth_keeping(**answer)) cache_.put(key, **answer);
  if (leads) cache_.flights_.extract(key).mapped()->set();
  co_return answer;
}

}  // namespace conductorai::integrations
