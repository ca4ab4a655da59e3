#include "infrastructure/http/libcurl.hpp"

#include <dlfcn.h>

namespace conductorai::infrastructure {

namespace {

constexpr const char* kName = "libcurl.so.4";  // of every libcurl since 2006

LibCurl taken;

Result<void> load() {
  const auto missing = [](std::string what) {
    return fail(ErrorCode::unavailable, "no HTTP without libcurl: " + std::move(what), kName, "apt-get install libcurl4");
  };
  void* const library = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return missing(::dlerror());
#define CONDUCTORAI_TAKE(name)                                                          \
  taken.name = reinterpret_cast<decltype(taken.name)>(::dlsym(library, "curl_" #name)); \
  if (taken.name == nullptr) return missing("it has no curl_" #name);
  CONDUCTORAI_LIBCURL(CONDUCTORAI_TAKE)
#undef CONDUCTORAI_TAKE
  if (taken.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return missing("it cannot be initialised");
  return {};
}

}  // namespace

Result<void> load_libcurl() {
  static const Result<void> loaded = load();
  return loaded;
}

const LibCurl& curl() {
  return taken;
}

}  // namespace conductorai::infrastructure
