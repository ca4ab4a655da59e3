#pragma once
// Samples against thresholds: the only source of a monitor's verdict.

#include "agents/monitoring/samples.hpp"

namespace conductorai::agents {

struct Judgement {
  bool healthy = true;
  std::string summary;             // one line
  std::vector<Evidence> evidence;  // kinds probes, slo, process, log; without their artifact
  std::vector<Finding> findings;   // source "probe", "process" or "log"; measured facts
  Severity severity = Severity::error;
  Object outputs;
};

Judgement judge(const MonitorPlan& plan, const WindowRecord& window);

}  // namespace conductorai::agents
