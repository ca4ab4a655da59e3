#pragma once
// BatchTicket: what a step keeps of its batch, so that a crash forgets no batch that is paid (docs/llm.md).

#include <boost/describe/class.hpp>
#include <optional>
#include <string>

#include "conductorai/time.hpp"

namespace conductorai::integrations {

struct BatchTicket {
  std::string provider;
  std::string name;  // given before it was sent; providers that keep names are asked by it
  std::string id;    // given by the provider; empty: not known yet
  int calls = 0;     // in the whole batch
  std::optional<Timestamp> sent_at{};
};
BOOST_DESCRIBE_STRUCT(BatchTicket, (), (provider, name, id, calls, sent_at))

}  // namespace conductorai::integrations
