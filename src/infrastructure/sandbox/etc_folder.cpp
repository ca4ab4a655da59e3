#include "infrastructure/sandbox/etc_folder.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <string>
#include <vector>

#include "infrastructure/sandbox/bubblewrap_args.hpp"

namespace conductorai::infrastructure {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "etc-";

/// What programs and their libraries read of /etc. Nothing with a secret, a user's name or the machine's network in it.
constexpr std::array kShown = {"alternatives",  "ld.so.cache",     "ld.so.conf", "ssl/certs", "ssl/openssl.cnf",
                               "pki/tls/certs", "crypto-policies", "localtime",  "timezone",  "mime.types",
                               "protocols",     "services",        "maven"};
constexpr std::array<std::string_view, 1> kShownPrefixes = {"java-"};

struct MadeFile {
  const char* name;
  std::string content;
};

std::vector<MadeFile> made_files() {
  const std::string id = std::to_string(kUserInside);
  return {{"passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nsandbox:x:" + id + ":" + id + ":sandbox:" + kHomeInside + ":/bin/sh\n" +
                         "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
          {"group", "root:x:0:\nsandbox:x:" + id + ":\nnogroup:x:65534:\n"},
          {"nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
          {"hosts", "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n"},
          {"resolv.conf", ""}};  // the machine's is mounted over it where there is a network
}

}  // namespace

/// A file is copied, a folder noted. The entry itself is followed: /etc/localtime leads into /usr. What cannot be read is left out: a file
/// only root may read is none a program counts on.
void EtcFolder::take(const fs::path& name) {
  std::error_code error;
  const fs::path real = fs::canonical(fs::path("/etc") / name, error);
  if (error) return;
  fs::create_directories((path_ / name).parent_path(), error);
  if (!fs::is_directory(real, error)) {
    fs::copy_file(real, path_ / name, error);
  } else if (fs::create_directories(path_ / name, error)) {
    folders_.push_back(fs::path("/etc") / name);
  }
}

Result<EtcFolder> EtcFolder::make(const fs::path& parent) {
  static std::atomic<int> count = 0;
  remove_leftovers(parent, kPrefix);
  EtcFolder made;
  made.path_ = parent / (std::string(kPrefix) + std::to_string(::getpid()) + "-" + std::to_string(++count));
  std::error_code error;
  fs::remove_all(made.path_, error);
  fs::create_directories(made.path_, error);
  if (!error) fs::permissions(made.path_, fs::perms(0755), error);
  if (error) return fail(ErrorCode::resource_exhausted, "cannot make the sandbox's /etc: " + error.message(), made.path_.string());
  for (const char* name : kShown) made.take(name);
  for (fs::directory_iterator it("/etc", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    const auto matches = [&name](std::string_view prefix) { return name.starts_with(prefix); };
    if (std::any_of(kShownPrefixes.begin(), kShownPrefixes.end(), matches)) made.take(name);
  }
  for (const auto& file : made_files()) {
    std::ofstream out(made.path_ / file.name, std::ios::trunc);
    out << file.content;
    if (!out.flush()) return fail(ErrorCode::resource_exhausted, "cannot make the sandbox's /etc", (made.path_ / file.name).string());
  }
  return made;
}

EtcFolder::~EtcFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

void remove_leftovers(const fs::path& folder, std::string_view prefix) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (!name.starts_with(prefix)) continue;
    pid_t pid = 0;
    const char* digits = name.data() + prefix.size();
    if (std::from_chars(digits, name.data() + name.size(), pid).ec != std::errc{} || pid <= 0) continue;
    std::error_code ignored;
    if (::kill(pid, 0) != 0 && errno == ESRCH) fs::remove_all(it->path(), ignored);
  }
}

}  // namespace conductorai::infrastructure
