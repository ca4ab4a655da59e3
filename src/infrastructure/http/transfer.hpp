#pragma once
// Transfer: one exchange as a curl easy handle, from the request's options to the answer or the error.

#include <memory>

#include "infrastructure/http/http_client.hpp"
#include "infrastructure/http/libcurl.hpp"
#include "runtime/suspension.hpp"

namespace conductorai::infrastructure {

struct CurlDelete {
  void operator()(CURL* handle) const { curl().easy_cleanup(handle); }
  void operator()(CURLU* url) const { curl().url_cleanup(url); }
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};

/// Neither copied nor moved: curl holds its address.
class Transfer {
 public:
  Transfer(HttpRequest request, BodySink sink) : request_(std::move(request)), sink_(std::move(sink)) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Checks the request and sets the handle up. `tls_sessions`: those of the client's connections, for this one to take up again, unless it
  /// is to be a fresh one. `idle_connections`: there may be one to take up again.
  /// Errors: invalid_argument, resource_exhausted.
  Result<void> prepare(CURLSH* tls_sessions, bool idle_connections);
  [[nodiscard]] CURL* handle() const { return handle_.get(); }

  /// It was never under way, and this is why.
  void refuse(Error error) { refused_ = std::make_unique<Error>(std::move(error)); }
  [[nodiscard]] Error* refused() const { return refused_.get(); }
  /// The multi interface's word that it ended.
  void finish(CURLcode code);
  /// REQUIRES: finished.
  Result<HttpResponse> answer();

  runtime::Suspension done;

 private:
  static int on_sending(Transfer* self, const char* to, const char* from, int to_port, int from_port);
  static std::size_t on_header(const char* data, std::size_t size, std::size_t count, Transfer* self);
  static std::size_t on_body(const char* data, std::size_t size, std::size_t count, Transfer* self);
  void take_header(std::string_view line);
  bool take_body(std::string_view piece);

  Result<void> check() const;
  Result<void> add_headers();
  void set_method();
  void set_route();
  [[nodiscard]] std::unexpected<Error> error() const;
  [[nodiscard]] std::string progress_so_far() const;

  HttpRequest request_;
  BodySink sink_;
  std::unique_ptr<Error> refused_;
  std::unique_ptr<CURL, CurlDelete> handle_;
  std::unique_ptr<curl_slist, CurlDelete> headers_;
  char error_text_[CURL_ERROR_SIZE] = "";
  CURLcode code_ = CURLE_OK;
  HttpResponse response_;
  std::int64_t header_bytes_ = 0;
  std::int64_t body_bytes_ = 0;
  bool too_many_headers_ = false;
};

}  // namespace conductorai::infrastructure
