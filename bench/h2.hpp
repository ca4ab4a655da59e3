#pragma once
// HTTP/2 over TLS on a socket that does not block, for the service to measure against and for the bare client: OpenSSL and nghttp2, no
// more.

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>

namespace conductorai::bench {

struct TlsDelete {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsDelete>;
using H2Session = std::unique_ptr<nghttp2_session, TlsDelete>;
using H2Callbacks = std::unique_ptr<nghttp2_session_callbacks, TlsDelete>;

/// A key and a certificate of its own for 127.0.0.1; the certificate is written to `file`.
TlsContext make_server_tls(const std::filesystem::path& file);
/// Trusts the certificate in `file` and nothing else.
TlsContext make_client_tls(const std::filesystem::path& file);

nghttp2_nv header(std::string_view name, std::string_view value);

/// One connection. Owns the socket.
class H2Connection {
 public:
  H2Connection(int fd, SSL_CTX& tls, bool server);
  ~H2Connection();
  H2Connection(const H2Connection&) = delete;
  H2Connection& operator=(const H2Connection&) = delete;

  void attach(H2Session session) { session_ = std::move(session); }
  [[nodiscard]] nghttp2_session* session() { return session_.get(); }
  [[nodiscard]] bool shaken() const { return shaken_; }
  /// As far as the socket allows: the handshake, what came, what is to go. False once it has ended.
  bool go_on();
  /// What is to go alone.
  bool flush();
  [[nodiscard]] bool wants_write() const { return wants_write_; }

 private:
  bool shake();
  bool take_in();
  [[nodiscard]] bool only_waits(int result);

  int fd_;
  std::unique_ptr<SSL, TlsDelete> tls_;
  H2Session session_;
  std::string out_;
  bool shaken_ = false;
  bool wants_write_ = false;
};

}  // namespace conductorai::bench
