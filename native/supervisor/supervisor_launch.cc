// Supervisor.launch().
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../util/arguments.h"
#include "handlers.h"
#include "js_answers.h"
#include "supervisor.h"

namespace tdctl::supervisor {

namespace {

const char* stage_name(LaunchStage stage) {
  switch (stage) {
    case LaunchStage::busy:
      return "busy";
    case LaunchStage::call:
      return "call";
    case LaunchStage::fork:
      return "fork";
    case LaunchStage::no_new_privileges:
      return "no_new_privs";
    case LaunchStage::filter:
      return "filter";
    case LaunchStage::install:
      return "install";
    case LaunchStage::memory:
      return "memory";
    case LaunchStage::exec:
      return "exec";
  }
  return "";
}

Napi::Value failed(Napi::Env env, LaunchFailure failure) {
  Napi::Object object = refusal(env, failure.error);
  object.Set("stage", stage_name(failure.stage));
  if (failure.stage == LaunchStage::call) object.Set("call", failure.call);
  Napi::Object result = Napi::Object::New(env);
  result.Set("failed", object);
  return result;
}

std::vector<std::string> read_command(Arguments& arguments, Napi::Value value) {
  std::vector<std::string> command;
  const auto words = arguments.array(value, "command", 1 << 20);
  if (!words) return command;
  for (std::uint32_t index = 0; index < words->Length() && !arguments.is_wrong(); ++index) {
    command.push_back(arguments.string(words->Get(index), "command[]"));
  }
  if (command.empty()) arguments.range_mistake("`command` must have at least one word");
  return command;
}

// [{request, argument, value}]
ConstantAnswers read_constants(Arguments& arguments, Napi::Value value) {
  ConstantAnswers constants;
  const auto rows = arguments.array(value, "systemAnswers", 1 << 16);
  if (!rows) return constants;
  for (std::uint32_t index = 0; index < rows->Length() && !arguments.is_wrong(); ++index) {
    const Napi::Value row = rows->Get(index);
    const std::uint32_t request = arguments.uint32(arguments.field(row, "request"), "request");
    const std::uint32_t argument = arguments.uint32(arguments.field(row, "argument"), "argument");
    const std::uint32_t answer = arguments.uint32(arguments.field(row, "value"), "value", 0, INT32_MAX);
    constants.add(request, argument, static_cast<std::int32_t>(answer));
  }
  return constants;
}

}  // namespace

Napi::Value Supervisor::launch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  const std::vector<std::string> command =
      read_command(arguments, arguments.field(info[0], "command"));
  ConstantAnswers constants =
      read_constants(arguments, arguments.field(info[0], "systemAnswers"));
  arguments.object(info[1], "handlers");
  if (arguments.is_wrong()) return mistake(arguments);

  auto launched = supervisor::launch(command);
  if (auto* failure = std::get_if<LaunchFailure>(&launched)) return failed(env, *failure);
  HeldClient& client = std::get<HeldClient>(launched);
  Handlers* handlers = Handlers::make(env, info[1].As<Napi::Object>());
  if (handlers == nullptr) {
    client.guard.finish();
    return {};
  }
  auto loop = std::make_shared<Loop>(std::move(client), std::move(constants),
                                     [handlers](Event event) { handlers->tell(std::move(event)); });
  handlers->serve(loop);
  std::optional<LaunchFailure> failure;
  if (const char* const call = loop->start(); call != nullptr) {
    failure = {LaunchStage::call, errno, call};
  } else if (const int error = let_go(loop->client()); error != 0) {
    failure = {LaunchStage::exec, error};
  }
  if (failure) {
    loop->stop();
    handlers->abandon();
    return failed(env, *failure);
  }
  const Napi::Value supervisor = make<Supervisor>(env, {std::move(loop), handlers});
  if (supervisor.IsEmpty()) return {};
  handlers->keep(supervisor.As<Napi::Object>());
  Napi::Object result = Napi::Object::New(env);
  result.Set("launched", supervisor);
  return result;
}

}  // namespace tdctl::supervisor
