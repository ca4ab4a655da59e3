#pragma once
// Bus messages as bytes: dead letters, and buses that cross processes.
//
//   {"v":1,"type":"task_assignment","channel":"…","from":"…","correlation":"…","reply_to":"…","priority":0,"ttl":250,"must_deliver":true,"body":{…}}
//
// `type` is one of none task_assignment task_result cancel_attempt progress heartbeat feedback value; `body` is left out with none.
// Empty fields are left out; unknown fields are ignored, so that a newer sender may add some.

#include <string>
#include <string_view>

#include "conductorai/message_bus.hpp"
#include "conductorai/result.hpp"

namespace conductorai::core {

std::string encode_message(const AgentMessage& message);
/// What a dead letter keeps: as encode_message, but the task of an assignment as its workflow file has it. What expressions gave, a
/// variable of the host among it, never comes to lie in a store.
std::string encode_letter(const AgentMessage& message);
/// Errors: data_corrupted (not our format), unsupported (unknown type or newer version: names it).
Result<AgentMessage> decode_message(std::string_view json);

}  // namespace conductorai::core
