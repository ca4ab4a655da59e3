#include "agents/base/secret_mask.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace conductorai::agents {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMask = "***";
constexpr std::size_t kCutBytesMin = 4;  // fewer bytes of a secret at a cut are as good as none
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

void add(std::vector<std::string>& secrets, std::string_view value) {
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.remove_suffix(1);
  if (value.size() >= kSecretBytesMin) secrets.emplace_back(value);
}

}  // namespace

bool names_a_secret(std::string_view variable) {
  static constexpr std::string_view kWords[] = {"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"};
  const std::string name = upper(variable);
  return std::ranges::any_of(kWords, [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

std::vector<std::string> secrets_in(const std::map<std::string, std::string>& environment, const std::vector<std::string>& names) {
  std::vector<std::string> values;
  for (const std::string& name : names)
    if (auto found = environment.find(name); names_a_secret(name) && found != environment.end()) values.push_back(found->second);
  return values;
}

SecretMask::SecretMask(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    add(secrets_, secret);
    std::string_view rest = secret;
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      add(secrets_, rest.substr(0, end));
      rest.remove_prefix(end + 1);
      if (rest.find('\n') == std::string_view::npos) add(secrets_, rest);
    }
  }
  std::ranges::sort(secrets_,
                    [](const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() > b.size() : a < b; });
  const auto repeated = std::ranges::unique(secrets_);
  secrets_.erase(repeated.begin(), repeated.end());
}

std::string SecretMask::Stream::feed(std::string_view piece, bool last) {
  held_ += piece;
  const std::size_t decided = last ? held_.size() : held_.size() - begun();
  std::string out;
  std::size_t at = 0;
  while (at < decided) {
    const auto [begin, length] = next(at);
    if (begin >= decided) break;
    out.append(held_, at, begin - at).append(kMask);
    at = begin + length;
  }
  if (at < decided) {
    out.append(held_, at, decided - at);
    at = decided;
  }
  held_.erase(0, at);
  return out;
}

/// The first occurrence from `at` on; of several that begin there, the longest.
std::pair<std::size_t, std::size_t> SecretMask::Stream::next(std::size_t at) const {
  std::pair<std::size_t, std::size_t> first{std::string::npos, 0};
  for (const std::string& secret : secrets_)
    if (const auto begin = held_.find(secret, at); begin < first.first) first = {begin, secret.size()};
  return first;
}

/// Bytes at the end that may be the beginning of a secret.
std::size_t SecretMask::Stream::begun() const {
  std::size_t longest = 0;
  for (const std::string& secret : secrets_)
    for (std::size_t length = std::min(secret.size() - 1, held_.size()); length > longest; --length)
      if (held_.ends_with(std::string_view(secret).substr(0, length))) longest = length;
  return longest;
}

std::string SecretMask::text(std::string text) const {
  if (secrets_.empty()) return text;
  return Stream(*this).feed(text, true);
}

Value SecretMask::value(Value value) const {
  if (secrets_.empty()) return value;
  if (const std::string* one = value.as_string()) return text(*one);
  if (Array* array = value.as_array()) {
    for (Value& member : *array) member = this->value(std::move(member));
  } else if (Object* object = value.as_object()) {
    for (auto& [key, member] : *object) member = this->value(std::move(member));
  }
  return value;
}

std::string SecretMask::text_cut_after(std::string text, bool cut) const {
  std::string out = this->text(std::move(text));
  if (cut) hide_cut_end(out);
  return out;
}

void SecretMask::output(CapturedOutput& output) const {
  if (secrets_.empty()) return;
  const bool parted = !output.tail.empty();
  output.head = text_cut_after(std::move(output.head), parted);
  output.tail = text(std::move(output.tail));
  if (parted) hide_cut_begin(output.tail);
}

void SecretMask::hide_cut_end(std::string& text) const {
  for (const std::string& secret : secrets_)
    for (std::size_t length = std::min(secret.size() - 1, text.size()); length >= kCutBytesMin; --length)
      if (text.ends_with(std::string_view(secret).substr(0, length))) {
        text.replace(text.size() - length, length, kMask);
        return;
      }
}

void SecretMask::hide_cut_begin(std::string& text) const {
  for (const std::string& secret : secrets_)
    for (std::size_t length = std::min(secret.size() - 1, text.size()); length >= kCutBytesMin; --length)
      if (text.starts_with(std::string_view(secret).substr(secret.size() - length))) {
        text.replace(0, length, kMask);
        return;
      }
}

Result<void> SecretMask::file(const fs::path& path, bool cut) const {
  if (secrets_.empty()) return {};
  const fs::path masked = path.string() + ".masked";
  std::ifstream in(path, std::ios::binary);
  std::ofstream out(masked, std::ios::binary | std::ios::trunc);
  Stream stream(*this);
  std::string piece(kPieceBytes, '\0');
  std::string last;  // kept until it is known whether more follows
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    out << last;
    last = stream.feed(std::string_view(piece).substr(0, static_cast<std::size_t>(in.gcount())), false);
  }
  last += stream.feed({}, true);
  if (cut) hide_cut_end(last);
  out << last;
  out.close();
  std::error_code error;
  const bool sound = !in.bad() && !out.fail();
  if (sound) fs::permissions(masked, fs::perms::owner_read | fs::perms::owner_write, error);
  if (sound && !error) fs::rename(masked, path, error);
  if (sound && !error) return {};
  std::error_code ignored;
  fs::remove(masked, ignored);
  fs::remove(path, ignored);  // it must not be kept with the secret in it
  return fail(ErrorCode::resource_exhausted, "an output could not be written without the secrets in it", path.string());
}

}  // namespace conductorai::agents
