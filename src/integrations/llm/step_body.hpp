#pragma once
// What an LLM step's `response` holds in the ledger (docs/formats/llm-script.md, "In the steps ledger").

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/llm_provider.hpp"

namespace conductorai::integrations {

/// Where the answer to a try that is out will be found; the provider's own words.
struct StepTicket {
  int of_try = 0;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(StepTicket, (), (of_try, text))

struct StepBody {
  std::optional<LLMResponse> answer;
  Digest answer_artifact;  // instead of `answer` where it is large
  std::optional<Error> error;
  std::vector<std::string> notes;  // one a recorded try, see StepNotes
  std::optional<StepTicket> ticket;
};
BOOST_DESCRIBE_STRUCT(StepBody, (), (answer, answer_artifact, error, notes, ticket))

}  // namespace conductorai::integrations
