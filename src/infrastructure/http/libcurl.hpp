#pragma once
// libcurl, taken in when the first request is made: it brings thirty libraries, which cost every start 4 ms and 5 MB (docs/adr/0010).

#include <curl/curl.h>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure {

// curl_easy_init and so on, without "curl_".
#define CONDUCTORAI_LIBCURL(EACH) \
  EACH(easy_cleanup)              \
  EACH(easy_getinfo)              \
  EACH(easy_init)                 \
  EACH(easy_setopt)               \
  EACH(easy_strerror)             \
  EACH(free)                      \
  EACH(global_init)               \
  EACH(multi_add_handle)          \
  EACH(multi_assign)              \
  EACH(multi_cleanup)             \
  EACH(multi_info_read)           \
  EACH(multi_init)                \
  EACH(multi_remove_handle)       \
  EACH(multi_setopt)              \
  EACH(multi_socket_action)       \
  EACH(multi_strerror)            \
  EACH(share_cleanup)             \
  EACH(share_init)                \
  EACH(share_setopt)              \
  EACH(slist_append)              \
  EACH(slist_free_all)            \
  EACH(url)                       \
  EACH(url_cleanup)               \
  EACH(url_get)                   \
  EACH(url_set)                   \
  EACH(url_strerror)              \
  EACH(version_info)

struct LibCurl {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration knows none
#define CONDUCTORAI_MEMBER(name) decltype(&::curl_##name) name = nullptr;
  CONDUCTORAI_LIBCURL(CONDUCTORAI_MEMBER)
#undef CONDUCTORAI_MEMBER
};

/// Does nothing where it is there already. Errors: unavailable (no libcurl on this machine).
Result<void> load_libcurl();
/// REQUIRES: load_libcurl() succeeded.
const LibCurl& curl();

}  // namespace conductorai::infrastructure
