#include "infrastructure/http/transfer.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/lower.hpp"

namespace conductorai::infrastructure {

namespace {

constexpr const char* kUserAgent = "conductorai/" CONDUCTORAI_VERSION;
// Each exchange in flight holds both. curl takes no smaller ones; what it has not written to costs nothing.
constexpr long kReceiveBytes = 1L << 10;
constexpr long kSendBytes = 16L << 10;
// What no proxy is asked for, whatever the environment says: a service of this machine is reached directly.
constexpr const char* kLoopback = "localhost,127.0.0.0/8,::1";

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || kOthers.contains(c);
  });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

double milliseconds(CURL* handle, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl().easy_getinfo(handle, info, &microseconds);
  return static_cast<double>(microseconds) / 1000.0;
}

long to_long(Milliseconds time) {
  return static_cast<long>(std::max<Milliseconds::rep>(1, time.count()));
}

/// Whether the machine's certificates are known to curl as one file.
bool has_certificates_file() {
  return curl().version_info(CURLVERSION_NOW)->cainfo != nullptr;
}

std::string no_proxy() {
  const char* given = std::getenv("no_proxy");
  if (given == nullptr) given = std::getenv("NO_PROXY");
  if (given == nullptr || *given == '\0') return kLoopback;
  return std::string_view(given) == "*" ? std::string(given) : std::string(given) + "," + kLoopback;
}

}  // namespace

const std::string* find_header(const HttpHeaders& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &HttpHeaders::value_type::first);
  return found == headers.end() ? nullptr : &found->second;
}

Result<void> Transfer::check() const {
  if (!is_token(request_.method)) return fail(ErrorCode::invalid_argument, "not an HTTP method: \"" + request_.method + "\"", request_.url);
  for (const auto& [name, value] : request_.headers)
    if (!is_token(name) || value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return fail(ErrorCode::invalid_argument, "not an HTTP header: \"" + name + "\"", request_.url, "a value holds no line break");
  const std::unique_ptr<CURLU, CurlDelete> url(curl().url());
  const CURLUcode parsed = curl().url_set(url.get(), CURLUPART_URL, request_.url.c_str(), 0);
  if (parsed != CURLUE_OK) return fail(ErrorCode::invalid_argument, std::string("not a URL: ") + curl().url_strerror(parsed), request_.url);
  char* scheme = nullptr;
  curl().url_get(url.get(), CURLUPART_SCHEME, &scheme, 0);
  const bool http = scheme != nullptr && (std::string_view(scheme) == "http" || std::string_view(scheme) == "https");
  curl().free(scheme);
  if (!http) return fail(ErrorCode::invalid_argument, "not an http or https URL", request_.url);
  return {};
}

Result<void> Transfer::add_headers() {
  bool content_type = false;
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl().slist_append(list, line.c_str());
    if (longer != nullptr) list = longer;
    return longer != nullptr;
  };
  // curl would wait a second for a "100 Continue" before a longer body.
  bool complete = add("Expect:");
  for (const auto& [name, value] : request_.headers) {
    content_type = content_type || lower(name) == "content-type";
    std::string line = name;
    line.append(value.empty() ? ";" : ": ").append(value);
    complete = complete && add(line);
  }
  // Not the form type that curl makes up for a body of ours.
  if (!content_type) complete = complete && add("Content-Type:");
  headers_.reset(list);
  request_.headers = {};
  if (!complete) return fail(ErrorCode::resource_exhausted, "no memory for the request's headers", request_.url);
  curl().easy_setopt(handle(), CURLOPT_HTTPHEADER, list);
  return {};
}

void Transfer::set_method() {
  const bool usually_has_body = request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH";
  if (!request_.body.empty() || usually_has_body) {
    curl().easy_setopt(handle(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl().easy_setopt(handle(), CURLOPT_POSTFIELDS, request_.body.data());
    if (request_.method != "POST") curl().easy_setopt(handle(), CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    return;
  }
  if (request_.method == "HEAD")
    curl().easy_setopt(handle(), CURLOPT_NOBODY, 1L);
  else if (request_.method != "GET")
    curl().easy_setopt(handle(), CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Transfer::set_route() {
  if (!request_.unix_socket.empty()) curl().easy_setopt(handle(), CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
  if (!request_.proxies || !request_.unix_socket.empty())
    curl().easy_setopt(handle(), CURLOPT_PROXY, "");
  else if (!request_.proxy.empty())
    curl().easy_setopt(handle(), CURLOPT_PROXY, request_.proxy.c_str());
  else
    curl().easy_setopt(handle(), CURLOPT_NOPROXY, no_proxy().c_str());
  if (!request_.ca_file.empty()) curl().easy_setopt(handle(), CURLOPT_CAINFO, request_.ca_file.c_str());
  // The folder that curl trusts besides a file has it read the file anew for each connection, and a file of the user's stands alone.
  if (!request_.ca_file.empty() || has_certificates_file()) curl().easy_setopt(handle(), CURLOPT_CAPATH, nullptr);
  if (request_.follow_redirects) {
    curl().easy_setopt(handle(), CURLOPT_FOLLOWLOCATION, 1L);
    curl().easy_setopt(handle(), CURLOPT_MAXREDIRS, 10L);
  }
  if (request_.fresh_connection) {
    curl().easy_setopt(handle(), CURLOPT_FRESH_CONNECT, 1L);
    curl().easy_setopt(handle(), CURLOPT_FORBID_REUSE, 1L);
  }
}

Result<void> Transfer::prepare(CURLSH* tls_sessions, bool idle_connections) {
  if (auto checked = check(); !checked) return checked;
  handle_.reset(curl().easy_init());
  if (!handle_) return fail(ErrorCode::resource_exhausted, "no memory for another HTTP request", request_.url);
  CURL* const easy = handle();
  curl().easy_setopt(easy, CURLOPT_PRIVATE, this);
  if (!request_.fresh_connection) curl().easy_setopt(easy, CURLOPT_SHARE, tls_sessions);
  curl().easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl().easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl().easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl().easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_);
  curl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a look-up of a name that hangs holds nobody up
  curl().easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Only TLS tells at once whether many exchanges may share a connection; plain ones would all wait for the first answer.
  const bool tls = request_.url.starts_with("https:");
  curl().easy_setopt(easy, CURLOPT_PIPEWAIT, !request_.fresh_connection && tls ? 1L : 0L);
  if (!tls && !idle_connections) curl().easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl().easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBytes);
  curl().easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kSendBytes);
  curl().easy_setopt(easy, CURLOPT_USERAGENT, kUserAgent);
  curl().easy_setopt(easy, CURLOPT_TIMEOUT_MS, to_long(request_.timeout));
  curl().easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, to_long(request_.connect_timeout));
  if (request_.sending) {
    curl().easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Transfer::on_sending);
    curl().easy_setopt(easy, CURLOPT_PREREQDATA, this);
  }
  curl().easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl().easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, this);
  set_method();
  set_route();
  return add_headers();
}

int Transfer::on_sending(Transfer* self, const char* /*to*/, const char* /*from*/, int /*to_port*/, int /*from_port*/) {
  self->request_.sending();
  return CURL_PREREQFUNC_OK;
}

std::size_t Transfer::on_header(const char* data, std::size_t size, std::size_t count, Transfer* self) {
  const std::string_view line(data, size * count);
  self->header_bytes_ += static_cast<std::int64_t>(line.size());
  self->too_many_headers_ = self->header_bytes_ > self->request_.header_bytes_max;
  if (self->too_many_headers_) return 0;
  self->take_header(line);
  return line.size();
}

void Transfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // a redirect's answer or a 1xx stood before this one
    response_.headers.clear();
    long status = 0;
    curl().easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  response_.headers.emplace_back(lower(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1))));
}

std::size_t Transfer::on_body(const char* data, std::size_t size, std::size_t count, Transfer* self) {
  const std::string_view piece(data, size * count);
  if (self->take_body(piece)) return piece.size();
  self->response_.truncated = true;
  return 0;
}

bool Transfer::take_body(std::string_view piece) {
  body_bytes_ += static_cast<std::int64_t>(piece.size());
  if (sink_) return sink_(response_, piece);
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(0, request_.body_bytes_max)) - response_.body.size();
  response_.body.append(piece.substr(0, room));
  return piece.size() <= room;
}

void Transfer::finish(CURLcode code) {
  code_ = code;
  done.complete();
}

Result<HttpResponse> Transfer::answer() {
  if (code_ != CURLE_OK && !response_.truncated) return error();
  long status = 0;
  curl().easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  response_.total_ms = milliseconds(handle(), CURLINFO_TOTAL_TIME_T);
  response_.connect_ms = milliseconds(handle(), CURLINFO_CONNECT_TIME_T);
  response_.first_byte_ms = milliseconds(handle(), CURLINFO_STARTTRANSFER_TIME_T);
  return std::move(response_);
}

std::string Transfer::progress_so_far() const {
  if (milliseconds(handle(), CURLINFO_CONNECT_TIME_T) <= 0) return "no connection";
  if (header_bytes_ == 0) return "connected, but no answer";
  return "status " + std::to_string(response_.status) + " and " + std::to_string(body_bytes_) + " bytes of the body, but no end";
}

std::unexpected<Error> Transfer::error() const {
  Error error{.code = ErrorCode::unavailable, .where = request_.url, .retry = Retry::backoff};
  std::string detail = error_text_[0] != '\0' ? error_text_ : curl().easy_strerror(code_);
  if (detail.starts_with("Unsupported proxy syntax")) detail = "the proxy's URL is none";  // curl quotes it, with its password
  if (too_many_headers_) {
    error.code = ErrorCode::invalid_answer;
    error.message = "the answer has more than " + std::to_string(request_.header_bytes_max) + " bytes of headers";
    return fail(error);
  }
  switch (code_) {
    case CURLE_OPERATION_TIMEDOUT:
      error.code = ErrorCode::timeout;
      error.message = "no answer in time: " + progress_so_far() + " (" + detail + ")";
      return fail(error);
    case CURLE_OUT_OF_MEMORY: error.code = ErrorCode::resource_exhausted; break;
    case CURLE_UNSUPPORTED_PROTOCOL:
      // An answer that is not HTTP at all ends as this (curl takes it for HTTP/0.9); the URL's own scheme was checked before.
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: error.code = ErrorCode::invalid_answer; break;
    case CURLE_SSL_CACERT_BADFILE:
      error.code = ErrorCode::invalid_argument;
      error.retry = Retry::never;
      error.hint = "is it there, and readable? It holds the certificates that are trusted";
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      error.retry = Retry::never;
      error.hint = "the server's certificate is another host's, or not trusted by this machine";
      break;
    case CURLE_COULDNT_CONNECT:
      if (!request_.proxy.empty()) detail += " (which is the proxy)";
      break;
    default: break;
  }
  error.message = "no usable answer: " + detail;
  return fail(error);
}

}  // namespace conductorai::infrastructure
