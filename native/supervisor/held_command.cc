#include "held_command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "../process/passed_fd.h"
#include "../process/pidfd.h"
#include "../util/arguments.h"
#include "js_answers.h"
#include "no_signals.h"

namespace tdctl::supervisor {

namespace {

Napi::Value passed(Napi::Env env, UniqueFd fd) {
  return make<PassedFd>(env, {std::make_shared<FdHandle>(std::move(fd), "fd to be passed", nullptr)});
}

UniqueFd pidfd_of(pid_t process) {
  return UniqueFd(static_cast<int>(::syscall(__NR_pidfd_open, process, 0)));
}

const char* name_of(Guard::State state) {
  switch (state) {
    case Guard::State::watching:
      return "watching";
    case Guard::State::done:
      return "done";
    case Guard::State::lost:
      return "lost";
  }
  return "";
}

}  // namespace

Napi::Function HeldCommand::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         InstanceAccessor<&HeldCommand::get_pid>("pid"),
                         InstanceMethod<&HeldCommand::pass>("pass"),
                         InstanceMethod<&HeldCommand::command>("command"),
                         InstanceMethod<&HeldCommand::guard>("guard"),
                         InstanceMethod<&HeldCommand::let_go>("letGo"),
                         InstanceMethod<&HeldCommand::hear>("hear"),
                         InstanceMethod<&HeldCommand::look>("look"),
                         InstanceMethod<&HeldCommand::end_orphans>("endOrphans"),
                         InstanceMethod<&HeldCommand::signal>("signal"),
                         InstanceMethod<&HeldCommand::end_all>("endAll"),
                         InstanceMethod<&HeldCommand::finish>("finish"),
                     });
}

HeldCommand::HeldCommand(const Napi::CallbackInfo& info) : Napi::ObjectWrap<HeldCommand>(info) {
  if (auto state = begin_construction<HeldCommand>(info)) holding_ = std::move(state->holding);
}

HeldCommand::~HeldCommand() {
  if (holding_ && !is_finished_) holding_->client.guard.finish();
}

Napi::Value HeldCommand::get_pid(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), holding_->client.pid);
}

// The listener must be left to the other process alone: with its end the program shall be refused its calls.
Napi::Value HeldCommand::pass(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  HeldClient& client = holding_->client;
  UniqueFd fds[] = {std::move(client.listener),
                    UniqueFd(::fcntl(client.pidfd.get(), F_DUPFD_CLOEXEC, 0)),
                    pidfd_of(client.guard.pid())};
  Napi::Array array = Napi::Array::New(env, std::size(fds));
  for (std::uint32_t at = 0; at < std::size(fds); ++at) {
    const Napi::Value fd = passed(env, std::move(fds[at]));
    if (fd.IsEmpty()) return {};
    array.Set(at, fd);
  }
  return array;
}

Napi::Value HeldCommand::command(const Napi::CallbackInfo& info) {
  return Pidfd::of(info.Env(), UniqueFd(::fcntl(holding_->client.pidfd.get(), F_DUPFD_CLOEXEC, 0)));
}

Napi::Value HeldCommand::guard(const Napi::CallbackInfo& info) {
  return Pidfd::of(info.Env(), pidfd_of(holding_->client.guard.pid()));
}

Napi::Value HeldCommand::let_go(const Napi::CallbackInfo& info) {
  const int error = supervisor::let_go(holding_->client);
  if (error == 0) return info.Env().Undefined();
  Napi::Object failure = refusal(info.Env(), error);
  failure.Set("stage", "exec");
  return failure;
}

Napi::Value HeldCommand::hear(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<CommandEnd> end = holding_->client.guard.hear();
  if (!end) return env.Undefined();
  Napi::Object told = Napi::Object::New(env);
  told.Set("how", end->by_signal ? "signal" : "code");
  told.Set("status", end->status);
  return told;
}

Napi::Value HeldCommand::look(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), name_of(holding_->client.guard.look()));
}

Napi::Value HeldCommand::end_orphans(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), holding_->client.guard.end_orphans());
}

Napi::Value HeldCommand::signal(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t number = arguments.uint32(info[0], "signal", 0, SIGRTMAX);
  if (arguments.is_wrong()) return mistake(arguments);
  const int pidfd = holding_->client.pidfd.get();
  return Napi::Boolean::New(
      info.Env(), ::syscall(__NR_pidfd_send_signal, pidfd, number, nullptr, 0) == 0);
}

Napi::Value HeldCommand::end_all(const Napi::CallbackInfo& info) {
  holding_->client.guard.end_all();
  return info.Env().Undefined();
}

Napi::Value HeldCommand::finish(const Napi::CallbackInfo& info) {
  if (std::exchange(is_finished_, true)) return info.Env().Undefined();
  holding_->client.guard.finish();
  holding_->client.group_signals = {};
  holding_->client.turn = {};
  const NoSignals no_signals;
  holding_->terminal.restore();
  return info.Env().Undefined();
}

}  // namespace tdctl::supervisor
