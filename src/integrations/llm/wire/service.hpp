#pragma once
// Providers over HTTP: where their service is, and what makes one protocol of another.

#include <functional>
#include <memory>
#include <vector>

#include "conductorai/llm_provider.hpp"
#include "integrations/llm/wire/answer_reader.hpp"
#include "integrations/llm/wire/http_transport.hpp"

namespace conductorai::integrations {

struct Service {
  std::string base_url;      // empty: the provider's own
  std::string api = "chat";  // of openai: chat or responses
  bool stream = true;        // answers are asked for in pieces
  std::string key;           // empty: none is sent
  std::string organisation;
  std::string model;                               // of requests that name none
  WireRequest template_request;                    // headers beyond ours, proxy, CA file, timeouts
  std::function<void(const WireHead&)> on_head{};  // of each answer to a chat, whatever its status; may be empty
};

/// What makes one protocol of another.
struct Protocol {
  std::string provider;    // "openai"
  std::string url;         // of chats
  std::string models_url;  // of the list of models
  WireHeaders headers;
  std::function<Result<std::string>(const LLMRequest&, const std::string& model, bool stream)> write;
  std::function<std::unique_ptr<AnswerReader>()> reader;
};

Protocol openai_protocol(const Service& service);
Protocol anthropic_protocol(const Service& service);

/// `base` with a path added before its query, which stays (Azure keeps its version there).
std::string joined_url(std::string_view base, std::string_view path);

}  // namespace conductorai::integrations
