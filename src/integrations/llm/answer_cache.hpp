#pragma once
// AnswerCache: answers given again to the same request, kept under the state directory (docs/llm.md, "The same question twice").

#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "conductorai/clock.hpp"
#include "conductorai/llm_provider.hpp"
#include "runtime/event.hpp"

namespace conductorai::integrations {

struct CacheOptions {
  std::filesystem::path folder;  // made when the first answer is kept
  Milliseconds ttl{};
  std::int64_t bytes_max = std::int64_t{256} << 20;        // on disk
  std::int64_t memory_bytes_max = std::int64_t{16} << 20;  // of the answers used last
};

/// What is broken, too old or from the future is a miss; what cannot be written is not kept. One process's view of the folder's size:
/// several that write at once may pass the bound until the next of them looks.
class AnswerCache {
 public:
  AnswerCache(Clock& clock, CacheOptions options) : clock_(clock), options_(std::move(options)) {}

  /// `service` is all that is not in the request: provider, address, protocol.
  [[nodiscard]] static std::string key_of(const std::string& service, const LLMRequest& request);
  /// Its usage says that it was cached and cost nothing.
  std::optional<LLMResponse> find(const std::string& key);
  void put(const std::string& key, LLMResponse answer);

 private:
  friend class CachingProvider;
  struct Entry {
    std::string key;
    Timestamp at{};
    std::int64_t bytes = 0;
    LLMResponse answer;
  };
  using Entries = std::list<Entry>;  // used last first

  [[nodiscard]] std::filesystem::path file_of(const std::string& key) const;
  [[nodiscard]] bool fresh(Timestamp at) const;
  void remember(Entry entry);
  void forget(Entries::iterator entry);
  bool load(const std::string& key);
  void make_room(std::int64_t bytes);

  Clock& clock_;
  CacheOptions options_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> of_key_;
  std::int64_t memory_bytes_ = 0;
  std::optional<std::int64_t> disk_bytes_;  // once looked at
  std::map<std::string, std::shared_ptr<runtime::Event>> flights_;
};

/// Asks the same only once, however many ask at the same time. Only whole answers are kept: neither cut off, nor withheld, nor refused. A
/// second attempt asks anew, for the first one's answer may be why there is a second.
class CachingProvider final : public BaseLLMProvider {
 public:
  CachingProvider(BaseLLMProvider& inner, AnswerCache& cache, std::string service)
      : inner_(inner), cache_(cache), service_(std::move(service)) {}
  [[nodiscard]] std::string_view name() const override { return inner_.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override;
  [[nodiscard]] bool holds(const LLMRequest& request);

 private:
  [[nodiscard]] std::unique_ptr<Result<LLMResponse>> hit(const std::string& key, const LLMRequest& request);
  task<Result<LLMResponse>> found_or_asked(std::unique_ptr<LLMRequest> request);

  BaseLLMProvider& inner_;
  AnswerCache& cache_;
  std::string service_;
};

/// What the cache holds goes by `direct`, past limits and breakers.
class CachedFirstProvider final : public BaseLLMProvider {
 public:
  CachedFirstProvider(BaseLLMProvider& inner, BaseLLMProvider& direct, CachingProvider& cache)
      : inner_(inner), direct_(direct), cache_(cache) {}
  [[nodiscard]] std::string_view name() const override { return inner_.name(); }
  task<Result<LLMResponse>> chat(LLMRequest request) override {
    return cache_.holds(request) ? direct_.chat(std::move(request)) : inner_.chat(std::move(request));
  }

 private:
  BaseLLMProvider& inner_;
  BaseLLMProvider& direct_;
  CachingProvider& cache_;
};

}  // namespace conductorai::integrations
