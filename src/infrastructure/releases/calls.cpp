#include "infrastructure/releases/calls.hpp"

#include <boost/json/serialize.hpp>

#include "core/json_codec.hpp"

namespace conductorai::infrastructure::releases {

BOOST_DESCRIBE_STRUCT(Call, (), (call, id, reason, workflow, status, release, files))

namespace {

std::string ok(std::string_view json) {
  return "{\"ok\":" + std::string(json) + "}";
}
std::string failed(const Error& error) {
  return "{\"error\":" + core::write_json(error) + "}";
}
std::string told(const Result<ReleaseInfo>& info) {
  return info ? ok(to_json(*info)) : failed(info.error());
}
std::string told(const std::vector<ReleaseInfo>& infos) {
  std::string list;
  for (const auto& info : infos) list += (list.empty() ? "" : ",") + to_json(info);
  return ok("[" + list + "]");
}

std::optional<WorkflowStatus> status_from(const std::string& text) {
  for (const auto status : {WorkflowStatus::pending, WorkflowStatus::in_progress, WorkflowStatus::paused, WorkflowStatus::completed,
                            WorkflowStatus::failed, WorkflowStatus::cancelled})
    if (to_string(status) == text) return status;
  return std::nullopt;
}

Result<boost::json::value> ok_of(std::string_view answer) {
  auto json = core::parse_boost(answer);
  if (!json || !json->is_object()) return fail(ErrorCode::unavailable, "the releases' supervisor answers nonsense");
  const auto& object = json->get_object();
  if (const auto* value = object.if_contains("ok")) return *value;
  const auto* error = object.if_contains("error");
  auto read = error == nullptr ? Result<Error>(fail(ErrorCode::internal, "")) : core::read_json_value<Error>(*error);
  if (!read) return fail(ErrorCode::unavailable, "the releases' supervisor answers nonsense");
  return fail(std::move(*read));
}

}  // namespace

std::string to_json(const Call& call) {
  return core::write_json(call);
}

task<std::string> answer_call(AppSupervisor& app, std::string line) {
  auto call = core::read_json<Call>(line);
  if (!call) co_return failed(call.error());
  if (call->call == "get") co_return told(app.get(call->id));
  if (call->call == "list") co_return told(app.list());
  if (call->call == "reject") {
    auto done = co_await app.reject(call->id, call->reason);
    co_return told(done);
  }
  if (call->call == "rollback") {
    auto done = co_await app.rollback(call->id);
    co_return told(done);
  }
  if (call->call == "stop") {
    auto done = co_await app.stop(call->id, call->reason);
    co_return told(done);
  }
  if (call->call == "workflow_ended") {
    const auto status = status_from(call->status);
    auto done = co_await app.workflow_ended(WorkflowId(call->workflow), status.value_or(WorkflowStatus::failed));
    co_return done ? ok("true") : failed(done.error());
  }
  if (call->call != "deploy")
    co_return failed(
        fail(ErrorCode::unsupported, "the app's supervisor knows no call '" + call->call + "'", {}, "it was started by another version")
            .error());
  auto release = release_from_json(call->release);
  if (!release) co_return failed(release.error());
  auto done = co_await app.deploy(std::move(*release), call->files);
  co_return told(done);
}

Result<ReleaseInfo> read_info(std::string_view answer) {
  auto value = ok_of(answer);
  if (!value) return fail(value.error());
  return info_from_json(boost::json::serialize(*value));
}

Result<std::vector<ReleaseInfo>> read_infos(std::string_view answer) {
  auto value = ok_of(answer);
  if (!value) return fail(value.error());
  if (!value->is_array()) return fail(ErrorCode::unavailable, "the releases' supervisor answers nonsense");
  std::vector<ReleaseInfo> infos;
  for (const auto& item : value->get_array()) {
    auto info = info_from_json(boost::json::serialize(item));
    if (!info) return fail(info.error());
    infos.push_back(std::move(*info));
  }
  return infos;
}

Result<void> read_done(std::string_view answer) {
  auto value = ok_of(answer);
  if (!value) return fail(value.error());
  return {};
}

}  // namespace conductorai::infrastructure::releases
