#pragma once
// NetworkProber: HTTP, TCP and Prometheus text over real sockets. Each look uses a connection of its own, so that it meets what serves
// now and its time includes connecting.

#include <memory>

#include "conductorai/prober.hpp"
#include "infrastructure/http/http_client.hpp"
#include "runtime/offload.hpp"

namespace conductorai::infrastructure {

class NetworkProber final : public Prober {
 public:
  explicit NetworkProber(runtime::Loop& loop) : loop_(loop), client_(loop) {}
  task<Result<ProbeSample>> probe(Probe probe) override;
  task<Result<std::map<std::string, double>>> metrics(std::string url, Milliseconds timeout) override;

 private:
  task<Result<ProbeSample>> probe_http(Probe probe);
  task<Result<ProbeSample>> probe_tcp(Probe probe);
  task<Result<ProbeSample>> probe_metrics(Probe probe);

  runtime::Loop& loop_;
  HttpClient client_;
  std::unique_ptr<runtime::Worker> resolver_;  // made when a name has to be looked up
};

}  // namespace conductorai::infrastructure
