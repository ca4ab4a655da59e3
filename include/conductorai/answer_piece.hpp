#pragma once
// AnswerPiece: some text of a model's answer, on its way to whoever watches.

#include <string>

#include "conductorai/ids.hpp"

namespace conductorai {

/// A hint for people: never recorded, possibly incomplete, and no part of any decision. Secrets of the host are masked, control
/// characters are not.
struct AnswerPiece {
  WorkflowId workflow;
  TaskId task;
  std::string call;  // "round/attempt/ordinal"; another one begins another answer
  std::string text;  // empty: this answer has ended
};

}  // namespace conductorai
