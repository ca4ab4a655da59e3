#include "agents/devops/tar.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace conductorai::agents {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameMax = 100;  // of a path or link target in the header itself

// The ustar header, field by field (POSIX.1-2017, pax, "ustar Interchange Format").
class Header {
 public:
  Header(std::string_view path, char type, std::string_view mode, std::uint64_t size) {
    bytes_.fill('\0');
    text(0, 100, path);
    text(100, 8, mode);
    text(108, 8, "0000000");  // uid
    text(116, 8, "0000000");  // gid
    octal(124, 11, size);
    text(136, 12, "00000000000");  // mtime
    bytes_[156] = type;
    text(257, 8, std::string_view("ustar\00000", 8));
    text(329, 8, "0000000");  // device numbers
    text(337, 8, "0000000");
  }
  void link(std::string_view target) { text(157, 100, target); }
  [[nodiscard]] std::string_view sealed() {
    std::fill_n(bytes_.begin() + 148, 8, ' ');
    std::uint64_t sum = 0;
    for (const char c : bytes_) sum += static_cast<unsigned char>(c);
    octal(148, 6, sum);
    bytes_[154] = '\0';
    return {bytes_.data(), bytes_.size()};
  }

 private:
  void text(std::size_t at, std::size_t width, std::string_view value) {
    const auto shown = value.substr(0, width);
    std::ranges::copy(shown, bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void octal(std::size_t at, std::size_t digits, std::uint64_t value) {
    for (std::size_t i = digits; i-- > 0; value >>= 3) bytes_[at + i] = static_cast<char>('0' + (value & 7));
  }
  std::array<char, kBlock> bytes_{};
};

// "LENGTH key=value\n", where LENGTH counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

void pad(std::string& bytes) {
  bytes.append((kBlock - bytes.size() % kBlock) % kBlock, '\0');
}

}  // namespace

void TarWriter::add(const TarEntry& entry, std::string_view content) {
  const bool is_link = !entry.link_target.empty();
  std::string pax;
  if (entry.path.size() > kNameMax) pax += pax_record("path", entry.path);
  if (entry.link_target.size() > kNameMax) pax += pax_record("linkpath", entry.link_target);
  if (!pax.empty()) {
    bytes_ += Header("././@PaxHeader", 'x', "0000644", pax.size()).sealed();
    bytes_ += pax;
    pad(bytes_);
  }
  Header header(entry.path, is_link ? '2' : '0',
                is_link            ? "0000777"
                : entry.executable ? "0000755"
                                   : "0000644",
                is_link ? 0 : content.size());
  if (is_link) header.link(entry.link_target);
  bytes_ += header.sealed();
  if (is_link) return;
  bytes_ += content;
  pad(bytes_);
}

std::string TarWriter::finish() {
  bytes_.append(2 * kBlock, '\0');
  std::string whole = std::move(bytes_);
  bytes_.clear();
  return whole;
}

}  // namespace conductorai::agents
