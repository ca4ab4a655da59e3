#pragma once
// SecretMask: takes the values of secrets out of what commands print and write, before anything of it is kept or shown.

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/sandbox.hpp"
#include "conductorai/value.hpp"

namespace conductorai::agents {

/// Values shorter than this stay: they would be found in ordinary words.
inline constexpr std::size_t kSecretBytesMin = 8;

/// Whether a variable of this name holds a secret: KEY, TOKEN, SECRET, PASSWORD, PASSWD or CREDENTIAL is part of it, in any case.
[[nodiscard]] bool names_a_secret(std::string_view variable);
/// The values of those among `names` that name secrets.
std::vector<std::string> secrets_in(const std::map<std::string, std::string>& environment, const std::vector<std::string>& names);

/// What is known to be secret in this process. It grows: a key may be read only when a model is first asked.
class SecretBook {
 public:
  void add(std::string secret) {
    if (std::ranges::find(values_, secret) == values_.end()) values_.push_back(std::move(secret));
  }
  [[nodiscard]] const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

/// A guard against accidents (a log line, a dumped environment, a stack trace), not against a program that hides what it prints: who gives
/// a program a secret trusts it.
class SecretMask {
 public:
  /// Text in pieces: held back is only what may be the beginning of a secret.
  class Stream {
   public:
    /// `mask` outlives it.
    explicit Stream(const SecretMask& mask) : secrets_(mask.secrets_) {}
    std::string feed(std::string_view piece, bool last);

   private:
    [[nodiscard]] std::pair<std::size_t, std::size_t> next(std::size_t at) const;
    [[nodiscard]] std::size_t begun() const;
    const std::vector<std::string>& secrets_;
    std::string held_;
  };

  /// Of a value of several lines each long enough line is a secret as well.
  explicit SecretMask(const std::vector<std::string>& secrets);

  [[nodiscard]] bool empty() const { return secrets_.empty(); }
  /// Every occurrence as "***".
  [[nodiscard]] std::string text(std::string text) const;
  [[nodiscard]] Value value(Value value) const;
  /// `cut`: something followed that was not kept; what may be the beginning of a secret at the end goes too.
  [[nodiscard]] std::string text_cut_after(std::string text, bool cut) const;
  /// Head and tail; where something was left out between them, also the halves of a secret on both sides.
  void output(CapturedOutput& output) const;
  /// Writes the file anew where it holds a secret, piece by piece. Errors: resource_exhausted; the file is gone then.
  [[nodiscard]] Result<void> file(const std::filesystem::path& path, bool cut) const;

 private:
  void hide_cut_end(std::string& text) const;
  void hide_cut_begin(std::string& text) const;

  std::vector<std::string> secrets_;  // longest first
};

}  // namespace conductorai::agents
