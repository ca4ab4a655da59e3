#include "bench/h2.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace conductorai::bench {
namespace {

constexpr std::size_t kRecord = 16 * 1024;  // of TLS at most
constexpr std::array<unsigned char, 3> kAlpn{2, 'h', '2'};
constexpr long kDaySeconds = 86'400;

using Key = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;
using Certificate = std::unique_ptr<X509, decltype([](X509* certificate) { X509_free(certificate); })>;

Certificate self_signed(EVP_PKEY* key) {
  Certificate made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -kDaySeconds);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), kDaySeconds);
  X509_set_pubkey(made.get(), key);
  X509_NAME* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("bench"), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  X509_EXTENSION* address = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(made.get(), address, -1);
  X509_EXTENSION_free(address);
  X509_sign(made.get(), key, EVP_sha256());
  return made;
}

int choose_h2(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size, void*) {
  return SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, kAlpn.data(), kAlpn.size(), in, in_size) ==
                 OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

TlsContext make_server_tls(const std::filesystem::path& file) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = self_signed(key.get());
  std::FILE* out = std::fopen(file.c_str(), "w");
  if (out == nullptr || PEM_write_X509(out, certificate.get()) != 1) return nullptr;
  std::fclose(out);
  SSL_CTX_use_certificate(context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  SSL_CTX_set_alpn_select_cb(context.get(), choose_h2, nullptr);
  return context;
}

TlsContext make_client_tls(const std::filesystem::path& file) {
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (SSL_CTX_load_verify_file(context.get(), file.c_str()) != 1) return nullptr;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context.get(), kAlpn.data(), kAlpn.size());
  return context;
}

nghttp2_nv header(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

H2Connection::H2Connection(int fd, SSL_CTX& tls, bool server) : fd_(fd), tls_(SSL_new(&tls)) {
  SSL_set_fd(tls_.get(), fd);
  SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (server) {
    SSL_set_accept_state(tls_.get());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), "127.0.0.1");
    SSL_set_connect_state(tls_.get());
  }
}

H2Connection::~H2Connection() {
  ::close(fd_);
}

bool H2Connection::only_waits(int result) {
  const int why = SSL_get_error(tls_.get(), result);
  if (why == SSL_ERROR_WANT_WRITE) wants_write_ = true;
  return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ;
}

bool H2Connection::go_on() {
  wants_write_ = false;
  if (!shaken_ && !shake()) return false;
  if (!shaken_) return true;
  return take_in() && flush();
}

bool H2Connection::shake() {
  const int result = SSL_do_handshake(tls_.get());
  if (result != 1) return only_waits(result);
  shaken_ = true;
  return true;
}

bool H2Connection::take_in() {
  std::array<unsigned char, kRecord> bytes;
  for (int got = 0; (got = SSL_read(tls_.get(), bytes.data(), bytes.size())) != 0;) {
    if (got < 0) return only_waits(got);
    if (nghttp2_session_mem_recv(session(), bytes.data(), static_cast<std::size_t>(got)) < 0) return false;
  }
  return false;
}

bool H2Connection::flush() {
  for (;;) {
    const std::uint8_t* data = nullptr;
    for (ssize_t size = 0; out_.size() < kRecord && (size = nghttp2_session_mem_send(session(), &data)) > 0;)
      out_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    if (out_.empty()) return true;
    const int written = SSL_write(tls_.get(), out_.data(), static_cast<int>(out_.size()));
    if (written <= 0) return only_waits(written);
    out_.erase(0, static_cast<std::size_t>(written));
  }
}

}  // namespace conductorai::bench
