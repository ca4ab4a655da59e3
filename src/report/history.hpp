#pragma once
// History: the journal as a story for people: who tried what when, how it ended, what was sent back.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/events.hpp"
#include "report/material.hpp"

namespace conductorai::report {

/// How a bar, a node or a pill looks.
enum class Look { passed, failed, error, running, waiting, skipped, done };

struct Attempt {
  TaskId task;
  int round = 1, number = 1;
  AgentId agent;
  Timestamp start{}, end{};
  Look look = Look::running;
  std::string summary;
  std::vector<Evidence> evidence;
  std::vector<ArtifactRef> artifacts;
  Object outputs;
  std::string commit;
  Usage usage;
  std::optional<FeedbackPayload> feedback;
  std::optional<Error> error;
  std::string action;  // what the ErrorHandler decided on an error
  std::vector<Finding> findings;
};

struct Round {
  int number = 1;
  std::string kind;  // "", "rework", "feedback", "retry"
  Timestamp at{};
  TaskId target, from;
  std::vector<TaskId> reset;
  FeedbackPayload feedback;
};

struct Gate {
  Timestamp at{};
  GateDecided decided;
};

struct History {
  Timestamp begin{}, end{};
  std::vector<Attempt> attempts;  // in order of their end; those that still run last
  std::vector<Round> rounds;      // the first one too
  std::vector<Gate> gates;
  std::map<TaskId, std::vector<std::size_t>> of_task;  // indexes into attempts
  std::optional<std::int64_t> repair_ms;  // from the first failed monitor verdict to the next passed one; all of them summed up
  bool repairing = false;                 // a monitor found something wrong and none has found it well since
};

History make_history(const Material& material);

Look look_of(const TaskView& task);
/// "passed", "failed", "error", …: the word beside the colour, and the class of the style.
std::string_view word(Look look);

}  // namespace conductorai::report
