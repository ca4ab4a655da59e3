#include "infrastructure/sandbox/capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "infrastructure/sandbox/text_cleaner.hpp"

namespace conductorai::infrastructure {

void Capture::add(std::string_view piece) {
  total_ += static_cast<std::int64_t>(piece.size());
  spill(piece);
  const auto to_head = std::min(piece.size(), kHeadBytes - head_.size());
  head_.append(piece.substr(0, to_head));
  piece.remove_prefix(to_head);
  if (piece.size() > kTailBytes) piece.remove_prefix(piece.size() - kTailBytes);
  tail_.append(piece);
  if (tail_.size() > 2 * kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
}

void Capture::spill(std::string_view piece) {
  if (broken_ || piece.empty() || max_ == 0) return;
  if (!fd_) fd_.reset(::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  broken_ = !fd_;
  piece = piece.substr(0, static_cast<std::size_t>(std::max<std::int64_t>(0, max_ - spilled_)));
  while (!broken_ && !piece.empty()) {
    const ssize_t written = ::write(fd_.get(), piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    broken_ = written <= 0;
    if (broken_) break;
    spilled_ += written;
    piece.remove_prefix(static_cast<std::size_t>(written));
  }
}

CapturedOutput Capture::take() {
  CapturedOutput out;
  out.total_bytes = total_;
  out.truncated = spilled_ < total_;
  if (fd_) out.file = file_;
  fd_.reset();
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  const bool whole = head_.size() + tail_.size() == static_cast<std::size_t>(total_);
  if (whole) {
    out.head = clean_text(head_ + tail_);
  } else {
    out.head = clean_text(head_);
    // The cut fell somewhere: begin with a character, not in the middle of one.
    const auto begin = std::find_if(tail_.begin(), tail_.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; });
    tail_.erase(tail_.begin(), begin);
    out.tail = clean_text(tail_);
  }
  return out;
}

void Capture::discard() {
  if (!fd_) return;
  fd_.reset();
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

}  // namespace conductorai::infrastructure
