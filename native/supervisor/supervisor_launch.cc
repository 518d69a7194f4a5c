// Supervisor.launch().
#include <fcntl.h>

#include <cerrno>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../util/arguments.h"
#include "handlers.h"
#include "held_command.h"
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
    case LaunchStage::process:
      return "process";
    case LaunchStage::foreign_memory:
      return "foreign_memory";
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

std::vector<int> read_fds(Arguments& arguments, Napi::Value value) {
  std::vector<int> fds;
  if (value.IsUndefined()) return fds;
  const auto numbers = arguments.array(value, "fds", 1024);
  for (std::uint32_t at = 0; numbers && at < numbers->Length() && !arguments.is_wrong(); ++at) {
    fds.push_back(static_cast<int>(arguments.uint32(numbers->Get(at), "fds[]", 3, INT32_MAX)));
  }
  return fds;
}

// [{kind, source, target}]
std::vector<Mount> read_mounts(Arguments& arguments, Napi::Value value) {
  std::vector<Mount> mounts;
  const auto rows = arguments.array(value, "mounts", 1024);
  if (!rows) return mounts;
  for (std::uint32_t index = 0; index < rows->Length() && !arguments.is_wrong(); ++index) {
    const Napi::Value row = rows->Get(index);
    const std::string kind = arguments.string(arguments.field(row, "kind"), "kind");
    mounts.push_back({
        .kind = kind == "bind"      ? Mount::Kind::bind
                : kind == "overlay" ? Mount::Kind::overlay
                                    : Mount::Kind::keep,
        .source = arguments.string(arguments.field(row, "source"), "source"),
        .target = arguments.string(arguments.field(row, "target"), "target"),
    });
  }
  return mounts;
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
  const LaunchRequest request = {
      .command = read_command(arguments, arguments.field(info[0], "command")),
      .fds = read_fds(arguments, arguments.field(info[0], "fds")),
  };
  ConstantAnswers constants =
      read_constants(arguments, arguments.field(info[0], "systemAnswers"));
  arguments.object(info[1], "handlers");
  if (arguments.is_wrong()) return mistake(arguments);

  auto launched = supervisor::launch(request);
  if (auto* failure = std::get_if<LaunchFailure>(&launched)) return failed(env, *failure);
  return serve(env, std::move(std::get<HeldClient>(launched)), std::move(constants),
               info[1].As<Napi::Object>());
}

Napi::Value Supervisor::hold(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  LaunchRequest request = {
      .command = read_command(arguments, arguments.field(info[0], "command")),
      .answered_by = static_cast<pid_t>(
          arguments.uint32(arguments.field(info[0], "answeredBy"), "answeredBy", 1, INT32_MAX)),
  };
  request.fds = read_fds(arguments, arguments.field(info[0], "fds"));
  request.mounts = read_mounts(arguments, arguments.field(info[0], "mounts"));
  if (arguments.is_wrong()) return mistake(arguments);

  auto launched = supervisor::launch(request);
  if (auto* failure = std::get_if<LaunchFailure>(&launched)) return failed(env, *failure);
  auto holding = std::make_unique<HeldCommand::Holding>(
      HeldCommand::Holding{.client = std::move(std::get<HeldClient>(launched))});
  const Napi::Value held = make<HeldCommand>(env, {std::move(holding)});
  if (held.IsEmpty()) return {};
  Napi::Object result = Napi::Object::New(env);
  result.Set("held", held);
  return result;
}

Napi::Value Supervisor::adopt(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  const auto passed = arguments.array(arguments.field(info[0], "fds"), "fds", 3);
  UniqueFd fds[3];
  for (std::uint32_t at = 0; passed && at < std::size(fds) && !arguments.is_wrong(); ++at) {
    const auto fd = arguments.passed_fd(passed->Get(at), "fds[" + std::to_string(at) + "]");
    if (fd) fds[at] = UniqueFd(::fcntl(fd->fd(), F_DUPFD_CLOEXEC, 0));
  }
  ConstantAnswers constants =
      read_constants(arguments, arguments.field(info[0], "systemAnswers"));
  arguments.object(info[1], "handlers");
  if (arguments.is_wrong()) return mistake(arguments);

  auto adopted = supervisor::adopt(std::move(fds[0]), std::move(fds[1]), std::move(fds[2]));
  if (auto* failure = std::get_if<LaunchFailure>(&adopted)) return failed(env, *failure);
  return serve(env, std::move(std::get<HeldClient>(adopted)), std::move(constants),
               info[1].As<Napi::Object>());
}

Napi::Value Supervisor::serve(Napi::Env env, HeldClient client, ConstantAnswers constants,
                              Napi::Object functions) {
  Handlers* handlers = Handlers::make(env, functions);
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
  } else if (loop->client().is_adopted()) {
    // Whoever started it lets it go.
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
