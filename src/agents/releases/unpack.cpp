#include "agents/releases/unpack.hpp"

#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace conductorai::agents {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 512;

struct Entry {
  std::string path;
  std::string link_target;
  char type = '0';
  bool executable = false;
  std::string_view content;
};

std::string_view field(std::string_view header, std::size_t at, std::size_t width) {
  const std::string_view whole = header.substr(at, width);
  return whole.substr(0, whole.find('\0'));
}

std::optional<std::uint64_t> octal(std::string_view text) {
  std::uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (end.ec != std::errc{}) return std::nullopt;
  return value;
}

bool sum_holds(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  return octal(field(header, 148, 8)) == sum;
}

// "LENGTH key=value\n", where LENGTH counts itself.
bool read_pax(std::string_view records, Entry& next) {
  while (!records.empty()) {
    std::size_t length = 0;
    const auto parsed = std::from_chars(records.data(), records.data() + records.size(), length);
    const auto space = static_cast<std::size_t>(parsed.ptr - records.data());
    if (parsed.ec != std::errc{} || length > records.size() || length < space + 2) return false;
    const std::string_view record = records.substr(space + 1, length - space - 2);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos) return false;
    if (record.substr(0, equals) == "path") next.path = record.substr(equals + 1);
    if (record.substr(0, equals) == "linkpath") next.link_target = record.substr(equals + 1);
    records.remove_prefix(length);
  }
  return true;
}

bool stays_inside(const fs::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  for (const fs::path& part : path)
    if (part == "..") return false;
  return true;
}

std::unexpected<Error> broken(std::string what) {
  return fail(ErrorCode::data_corrupted, "the release bundle is damaged: " + std::move(what));
}

Result<std::vector<Entry>> entries_of(std::string_view tar) {
  std::vector<Entry> entries;
  Entry next;
  for (std::size_t at = 0; at + kBlock <= tar.size();) {
    const std::string_view header = tar.substr(at, kBlock);
    if (header.find_first_not_of('\0') == std::string_view::npos) return entries;
    const auto size = octal(field(header, 124, 12));
    if (!sum_holds(header) || !size || *size > tar.size() - at - kBlock) return broken("at byte " + std::to_string(at));
    next.type = header[156];
    next.content = tar.substr(at + kBlock, *size);
    at += kBlock + (*size + kBlock - 1) / kBlock * kBlock;
    if (next.type == 'x') {
      if (!read_pax(next.content, next)) return broken("an extended header");
      continue;
    }
    if (next.path.empty()) next.path = field(header, 0, 100);
    if (next.link_target.empty()) next.link_target = field(header, 157, 100);
    next.executable = (octal(field(header, 100, 8)).value_or(0) & 0100) != 0;
    if (!stays_inside(next.path)) return broken("its path '" + next.path + "' leaves the folder");
    entries.push_back(std::exchange(next, {}));
  }
  return broken("its end is missing");
}

Result<void> write_file(const Entry& entry, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  out.write(entry.content.data(), static_cast<std::streamsize>(entry.content.size()));
  out.close();
  if (error || !out) return fail(ErrorCode::resource_exhausted, "cannot write a file of the release", to.string());
  fs::permissions(to, fs::perms(entry.executable ? 0755 : 0644), error);
  return {};
}

}  // namespace

Result<void> unpack_bundle(std::string_view tar, const fs::path& folder) {
  auto entries = entries_of(tar);
  if (!entries) return fail(entries.error());
  for (const Entry& entry : *entries)
    if (entry.type == '0')
      if (auto written = write_file(entry, folder / entry.path); !written) return written;
  for (const Entry& entry : *entries) {
    if (entry.type != '2') continue;
    std::error_code error;
    fs::create_directories((folder / entry.path).parent_path(), error);
    fs::create_symlink(entry.link_target, folder / entry.path, error);
    if (error) return fail(ErrorCode::resource_exhausted, "cannot make a link of the release: " + error.message(), entry.path);
  }
  return {};
}

}  // namespace conductorai::agents
