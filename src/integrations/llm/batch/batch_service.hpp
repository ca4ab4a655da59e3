#pragma once
// BatchService: the batch API of one provider, as the desk sees it.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conductorai/result.hpp"
#include "conductorai/task.hpp"
#include "conductorai/value.hpp"

namespace conductorai::integrations {

struct BatchEntry {
  std::string id;    // custom id: by it a line of the results is known
  std::string body;  // JSON of the request
};

/// What came of one call: an answer of a direct call, with its status; or why there is none.
struct BatchLine {
  int status = 0;
  Value body;
  std::optional<Error> error;
};
using BatchLines = std::map<std::string, BatchLine>;  // by custom id

struct BatchLook {
  bool ended = false;                // there are results
  std::optional<Error> refused;      // the whole batch was, after it was taken: nothing was called
  std::vector<std::string> results;  // URLs of them
  std::vector<std::string> spent;    // URLs of what was sent for it, and is needed no more
};

/// Errors of all: those of status_error and HttpTransport, invalid_answer.
class BatchService {
 public:
  virtual ~BatchService() = default;
  [[nodiscard]] virtual std::string_view provider() const = 0;
  /// Of a step's name, within what the provider allows.
  [[nodiscard]] virtual std::string custom_id(const std::string& step) const = 0;
  /// The id of the new batch; `name` goes with it where the provider takes one. Errors: timeout and invalid_answer leave open whether there
  /// is one.
  virtual task<Result<std::string>> submit(std::string name, std::vector<BatchEntry> entries) = 0;
  /// The batch of this name; empty when there is none. Errors: unsupported when the provider keeps no names.
  virtual task<Result<std::string>> find(std::string name) = 0;
  virtual task<Result<BatchLook>> look(std::string id) = 0;
  virtual task<Result<BatchLines>> results(BatchLook ended) = 0;
  virtual task<Result<void>> cancel(std::string id) = 0;
};

}  // namespace conductorai::integrations
