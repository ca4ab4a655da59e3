#include "infrastructure/releases/service_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kTail = 4096;
constexpr std::size_t kWordsMax = 300;
constexpr int kFilesEver = 64;

fs::path numbered(const fs::path& file, int number) {
  return number == 0 ? file : fs::path(file.string() + "." + std::to_string(number));
}

}  // namespace

ServiceLog::ServiceLog(fs::path file, LogBounds bounds) : file_(std::move(file)), bounds_(bounds) {
  std::error_code ignored;
  fs::create_directories(file_.parent_path(), ignored);
  open();
}

void ServiceLog::open() {
  fd_.reset(::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat info{};
  size_ = fd_ && ::fstat(fd_.get(), &info) == 0 ? info.st_size : 0;
}

void ServiceLog::rotate() {
  for (int number = bounds_.files - 1; number > 0; --number) ::rename(numbered(file_, number - 1).c_str(), numbered(file_, number).c_str());
  if (bounds_.files <= 1) ::unlink(file_.c_str());
  open();
}

void ServiceLog::add(std::string_view text) {
  total_ += static_cast<std::int64_t>(text.size());
  tail_.append(text.substr(text.size() - std::min(text.size(), kTail)));
  if (tail_.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
  while (!text.empty()) {
    if (size_ >= bounds_.file_bytes) rotate();
    const auto room = static_cast<std::size_t>(std::max<std::int64_t>(1, bounds_.file_bytes - size_));
    const ssize_t written = ::write(fd_.get(), text.data(), std::min(text.size(), room));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    size_ += written;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string ServiceLog::last_words() const {
  std::string_view text = tail_;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::size_t from = text.size();
  for (int lines = 0; lines < 3 && from != std::string_view::npos && from > 0; ++lines) from = text.rfind('\n', from - 1);
  if (from != std::string_view::npos && from < text.size()) text.remove_prefix(text[from] == '\n' ? from + 1 : from);
  if (text.size() > kWordsMax) text.remove_prefix(text.size() - kWordsMax);
  while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80) text.remove_prefix(1);
  std::string out(text);
  std::ranges::replace(out, '\n', ' ');
  return out;
}

std::string read_log(const fs::path& file, std::int64_t bytes_max) {
  std::string out;
  bool cut = false;
  for (int number = 0; number < kFilesEver && !cut; ++number) {
    std::ifstream in(numbered(file, number), std::ios::binary | std::ios::ate);
    if (!in) break;
    const auto size = static_cast<std::int64_t>(in.tellg());
    const std::int64_t wanted = std::min(size, bytes_max - static_cast<std::int64_t>(out.size()));
    cut = wanted < size;
    in.seekg(size - wanted);
    std::string piece(static_cast<std::size_t>(wanted), '\0');
    in.read(piece.data(), wanted);
    piece.resize(static_cast<std::size_t>(in.gcount()));
    out.insert(0, piece);
  }
  if (const auto line = out.find('\n'); cut && line != std::string::npos && line + 1 < out.size()) out.erase(0, line + 1);
  return out;
}

}  // namespace conductorai::infrastructure::releases
