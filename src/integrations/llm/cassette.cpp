#include "integrations/llm/cassette.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "base/printable.hpp"
#include "core/codec.hpp"
#include "core/json_codec.hpp"
#include "integrations/llm/ledger.hpp"

namespace conductorai::integrations {

BOOST_DESCRIBE_STRUCT(CassetteEntry, (), (key, agent, task, step, round, attempt, request, answer, error))

namespace {

constexpr std::string_view kHeader = R"({"conductorai-cassette":1})";
constexpr std::size_t kDifferenceBytes = 60;

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "in 12.5 ms" → "in # ms"
std::string without_numbers(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    if (word.empty()) {
      out += text[i++];
      continue;
    }
    i = end;
    if (std::ranges::none_of(word, is_digit)) {
      out += word;
      continue;
    }
    // "#.#" is one number still, as is "#:#".
    const bool goes_on = out.size() >= 2 && out[out.size() - 2] == '#' && std::string_view(".,:-").contains(out.back());
    if (goes_on)
      out.pop_back();
    else
      out += '#';
  }
  return out;
}

/// What was measured or printed is never twice the same, whatever its numbers.
constexpr std::array<std::string_view, 4> kMeasured{"findings", "measured", "samples", "log"};

std::string without_measurements(std::string_view text) {
  std::string out(text);
  for (const std::string_view name : kMeasured) {
    const std::string opening = "<" + std::string(name);
    const std::string closing = "</" + std::string(name) + ">";
    for (auto from = out.find(opening); from != std::string::npos; from = out.find(opening, from)) {
      const auto end = out.find(closing, from);
      const char next = from + opening.size() < out.size() ? out[from + opening.size()] : '\0';
      if (end == std::string::npos || (next != '>' && next != ' '))
        from += opening.size();
      else
        out.erase(from, end + closing.size() - from);
    }
  }
  const auto repeated = std::ranges::unique(out, [](char a, char b) { return a == '\n' && b == '\n'; });
  out.erase(repeated.begin(), repeated.end());
  return without_numbers(out);
}

std::string place_of(std::string_view agent, std::string_view task, int round, int attempt, std::string_view step) {
  return std::string(agent) + "/" + std::string(task) + "/" + std::to_string(round) + "/" + std::to_string(attempt) + "/" +
         std::string(step);
}
std::string place_of(const LLMCaller& caller) {
  return place_of(caller.agent_type, caller.attempt.task.str(), caller.attempt.round, caller.attempt.attempt, caller.ordinal);
}

Error file_error(const std::filesystem::path& file, int number) {
  const bool ours = number == EACCES || number == EPERM || number == EROFS;
  return {.code = ours               ? ErrorCode::permission_denied
                  : number == ENOENT ? ErrorCode::not_found
                                     : ErrorCode::resource_exhausted,
          .message = "the cassette cannot be written: " + std::generic_category().message(number),
          .where = file.string(),
          .hint = "free space there, or record to another place; what was paid for is on record and not bought again"};
}

/// In one write, so that a line is there whole or not at all, unless the disk is full.
Result<void> append_line(const std::filesystem::path& file, int flags, std::string line) {
  line += '\n';
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (fd < 0) return fail(file_error(file, errno));
  std::size_t done = 0;
  int number = 0;
  while (done < line.size() && number == 0) {
    const auto wrote = ::write(fd, line.data() + done, line.size() - done);
    if (wrote > 0)
      done += static_cast<std::size_t>(wrote);
    else if (errno != EINTR)
      number = errno;
  }
  if (::close(fd) != 0 && number == 0) number = errno;
  if (number != 0) return fail(file_error(file, number));
  return {};
}

bool is_cassette_or_empty(const std::filesystem::path& file) {
  const std::string header = std::string(kHeader) + '\n';
  std::string beginning(header.size(), '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  beginning.resize(static_cast<std::size_t>(in.gcount()));
  return beginning.empty() || beginning == kHeader || beginning == header;
}

}  // namespace

std::string cassette_key(const LLMRequest& request) {
  LLMRequest sent = request;
  sent.model.clear();
  for (ChatMessage& message : sent.messages) message.text = without_measurements(message.text);
  return request_digest(sent);
}

Result<std::vector<CassetteEntry>> parse_cassette(std::string_view text, const std::string& name) {
  std::vector<CassetteEntry> entries;
  int number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (++number == 1) {
      if (line != kHeader) return fail(ErrorCode::invalid_argument, "this is no cassette", name, "--llm record:FILE makes one");
      continue;
    }
    if (line.empty()) continue;
    auto entry = core::read_json<CassetteEntry>(line);
    if (entry && !entry->answer && !entry->error) entry = fail(ErrorCode::invalid_argument, "it has neither answer nor error");
    if (!entry)
      return fail(ErrorCode::invalid_argument, "a line of the cassette does not read: " + entry.error().message,
                  name + ":" + std::to_string(number), "it was cut off or changed: record it again");
    entries.push_back(std::move(*entry));
  }
  if (number == 0) return fail(ErrorCode::invalid_argument, "this is no cassette: it is empty", name, "--llm record:FILE makes one");
  return entries;
}

Result<void> start_cassette(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::exists(file, error) && !(std::filesystem::is_regular_file(file, error) && is_cassette_or_empty(file)))
    return fail(ErrorCode::already_exists, "this is no cassette, so it is not recorded over", file.string(), "name another file");
  return append_line(file, O_TRUNC, std::string(kHeader));
}

Result<void> RecordingProvider::write(const LLMRequest& request, const Result<LLMResponse>& answer) {
  const LLMCaller& caller = request.caller;
  CassetteEntry entry{.key = cassette_key(request),
                      .agent = caller.agent_type,
                      .task = caller.attempt.task.str(),
                      .step = caller.ordinal,
                      .round = caller.attempt.round,
                      .attempt = caller.attempt.attempt,
                      .request = request,
                      .answer = {},
                      .error = {}};
  entry.request.caller = {};
  if (answer)
    entry.answer = *answer;
  else
    entry.error = answer.error();
  std::string line = core::write_json(entry);
  for (const std::string& secret : secrets_)
    for (auto found = line.find(secret); !secret.empty() && found != std::string::npos; found = line.find(secret, found + 3))
      line.replace(found, secret.size(), "***");
  std::error_code error;
  if (!std::filesystem::exists(file_, error)) line = std::string(kHeader) + "\n" + line;
  return append_line(file_, O_APPEND, std::move(line));
}

task<Result<LLMResponse>> RecordingProvider::chat(LLMRequest request) {
  if (!written_) co_return fail(written_.error());
  auto answer = co_await inner_->chat(request);
  // A call that was cancelled, or not let in, has no outcome that could be given again.
  const bool told = answer || (answer.error().code != ErrorCode::cancelled && answer.error().code != ErrorCode::permission_denied);
  if (told) written_ = write(request, answer);
  co_return answer;
}

ReplayProvider::ReplayProvider(std::vector<CassetteEntry> entries, std::string file)
    : entries_(std::move(entries)), file_(std::move(file)), used_(entries_.size()) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const CassetteEntry& entry = entries_[i];
    of_place_[place_of(entry.agent, entry.task, entry.round, entry.attempt, entry.step)].push_back(i);
    of_key_[entry.key].push_back(i);
  }
}

const CassetteEntry* ReplayProvider::find(const LLMRequest& request) {
  const std::string key = cassette_key(request);
  const std::string place = place_of(request.caller);
  std::vector<std::size_t> same;
  if (const auto there = of_place_.find(place); there != of_place_.end())
    std::ranges::copy_if(there->second, std::back_inserter(same), [&](std::size_t i) { return entries_[i].key == key; });
  if (!same.empty()) {
    const std::size_t found = same[std::min(tries_[place]++, same.size() - 1)];
    used_[found] = true;
    return &entries_[found];
  }
  const auto others = of_key_.find(key);
  if (others == of_key_.end()) return nullptr;
  const auto fresh = std::ranges::find_if(others->second, [&](std::size_t i) { return !used_[i]; });
  const std::size_t found = fresh == others->second.end() ? others->second.back() : *fresh;
  used_[found] = true;
  return &entries_[found];
}

Error ReplayProvider::miss(const LLMRequest& request) const {
  const LLMCaller& caller = request.caller;
  Error error{.code = ErrorCode::invalid_argument,
              .message = "the cassette holds no answer for agent " + caller.agent_type + ", task " + caller.attempt.task.str() +
                         ", round " + std::to_string(caller.attempt.round) + ", attempt " + std::to_string(caller.attempt.attempt) +
                         ", step " + caller.ordinal,
              .where = file_,
              .hint = "record it again: --llm record:FILE"};
  const auto there = of_place_.find(place_of(caller));
  if (there == of_place_.end()) return error;
  const auto& recorded = entries_[there->second.front()].request.messages;
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const std::string now = without_measurements(request.messages[i].text);
    const std::string then = i < recorded.size() ? without_measurements(recorded[i].text) : std::string();
    if (now == then) continue;
    const auto from = static_cast<std::size_t>(std::ranges::mismatch(now, then).in1 - now.begin());
    error.message += "; its request differs from the recorded one at '" +
                     printable_line(now.substr(from, kDifferenceBytes), kDifferenceBytes) + "', recorded was '" +
                     printable_line(then.substr(std::min(from, then.size()), kDifferenceBytes), kDifferenceBytes) + "'";
    return error;
  }
  error.message += "; its tools or schema differ from the recorded request's";
  return error;
}

task<Result<LLMResponse>> ReplayProvider::chat(LLMRequest request) {
  const CassetteEntry* entry = find(request);
  if (entry == nullptr) co_return fail(miss(request));
  if (!entry->answer) co_return fail(*entry->error);
  if (request.on_text && !entry->answer->text.empty()) request.on_text(entry->answer->text);
  co_return *entry->answer;
}

}  // namespace conductorai::integrations
