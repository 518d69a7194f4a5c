#include "supervisor.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../util/arguments.h"
#include "../util/errno_name.h"
#include "client_memory.h"
#include "handlers.h"
#include "notifications.h"

namespace tdctl::supervisor {

namespace {

// MAX_ERRNO: what is beyond would come out as a result.
constexpr std::uint32_t most_errno = 4095;

const char* stage_name(LaunchStage stage) {
  switch (stage) {
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
    case LaunchStage::files:
      return "files";
    case LaunchStage::exec:
      return "exec";
  }
  return "";
}

Napi::Object refusal(Napi::Env env, int error) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("errno", error);
  object.Set("code", errno_name(error));
  return object;
}

Napi::Object refusal(Napi::Env env, int error, const char* whose) {
  Napi::Object object = refusal(env, error);
  object.Set("whose", whose);
  return object;
}

Napi::Value failed(Napi::Env env, LaunchFailure failure) {
  Napi::Object object = refusal(env, failure.error);
  object.Set("stage", stage_name(failure.stage));
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

// A Uint8Array on shared memory, which stays mapped for as long as JS can reach it.
Napi::Value shared_bytes(Napi::Env env, std::shared_ptr<SharedMapping> mapping) {
  auto* owner = new std::shared_ptr<SharedMapping>(std::move(mapping));
  const std::size_t size_bytes = (*owner)->size_bytes();
  const auto buffer = Napi::ArrayBuffer::New(
      env, (*owner)->address(), size_bytes,
      [](Napi::Env, void*, std::shared_ptr<SharedMapping>* kept) { delete kept; }, owner);
  return Napi::Uint8Array::New(env, size_bytes, buffer, 0);
}

void stop_loop(void* loop) { static_cast<Loop*>(loop)->stop(); }

pid_t thread_argument(Arguments& arguments) {
  return static_cast<pid_t>(arguments.uint32(arguments.at(0), "thread", 1, INT32_MAX));
}

Napi::Value mistake(Arguments& arguments) {
  arguments.mistake().ThrowAsJavaScriptException();
  return {};
}

}  // namespace

Napi::Function Supervisor::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         StaticMethod<&Supervisor::launch>("launch"),
                         InstanceAccessor<&Supervisor::get_pid>("pid"),
                         InstanceMethod<&Supervisor::answer>("answer"),
                         InstanceMethod<&Supervisor::refuse>("refuse"),
                         InstanceMethod<&Supervisor::install>("install"),
                         InstanceMethod<&Supervisor::is_waiting>("isWaiting"),
                         InstanceMethod<&Supervisor::find_file>("findFile"),
                         InstanceMethod<&Supervisor::read_memory>("readMemory"),
                         InstanceMethod<&Supervisor::until_signal>("untilSignal"),
                         InstanceMethod<&Supervisor::has_signal>("hasSignal"),
                         InstanceMethod<&Supervisor::write_memory>("writeMemory"),
                         InstanceMethod<&Supervisor::signal>("signal"),
                         InstanceMethod<&Supervisor::stop>("stop"),
                     });
}

Supervisor::Supervisor(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Supervisor>(info) {
  auto state = begin_construction<Supervisor>(info);
  if (!state) return;
  loop_ = std::move(state->loop);
  handlers_ = state->handlers;
  // Hooks run last in, first out, and the handlers have one of their own: the thread must be gone
  // before what it tells its events to.
  napi_add_env_cleanup_hook(info.Env(), stop_loop, loop_.get());
}

Supervisor::~Supervisor() {
  if (loop_) napi_remove_env_cleanup_hook(Env(), stop_loop, loop_.get());
}

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
    give_up(client);
    return {};
  }
  auto loop = std::make_unique<Loop>(std::move(client), std::move(constants),
                                     [handlers](Event event) { handlers->tell(std::move(event)); });
  if (loop->files().events_fd() < 0) {
    give_up(loop->client());
    handlers->abandon();
    return failed(env, {LaunchStage::files, EMFILE});
  }
  loop->start();
  if (const int error = let_go(loop->client()); error != 0) {
    loop->stop();
    handlers->abandon();
    return failed(env, {LaunchStage::exec, error});
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("launched", make<Supervisor>(env, {std::move(loop), handlers}));
  return result;
}

Napi::Value Supervisor::get_pid(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), loop_->client().pid);
}

std::optional<Call> Supervisor::waiting_call(const Napi::CallbackInfo& info, CallNumber* number) {
  Arguments arguments(info, nullptr);
  *number = arguments.uint32(info[0], "call");
  if (arguments.is_wrong()) {
    mistake(arguments);
    return std::nullopt;
  }
  return loop_->calls().find(*number);
}

// The three ways to answer. False: nobody got the answer.

Napi::Value Supervisor::answer(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t value = arguments.uint32(info[1], "value", 0, INT32_MAX);
  if (arguments.is_wrong()) return mistake(arguments);
  return send(info, [value](int listener, std::uint64_t id) {
    return supervisor::answer(listener, id, static_cast<std::int64_t>(value));
  });
}

Napi::Value Supervisor::refuse(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t error = arguments.uint32(info[1], "errno", 1, most_errno);
  if (arguments.is_wrong()) return mistake(arguments);
  return send(info, [error](int listener, std::uint64_t id) {
    return supervisor::refuse(listener, id, static_cast<int>(error));
  });
}

template <typename Sender>
Napi::Value Supervisor::send(const Napi::CallbackInfo& info, Sender sender) {
  CallNumber number;
  const std::optional<Call> call = waiting_call(info, &number);
  if (info.Env().IsExceptionPending()) return {};
  if (!call) return Napi::Boolean::New(info.Env(), false);
  // Before the answer: afterwards the thread may already ask anew.
  loop_->calls().remove(number);
  return Napi::Boolean::New(info.Env(), sender(loop_->listener(), call->id) == 0);
}

Napi::Value Supervisor::install(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  CallNumber number;
  const std::optional<Call> call = waiting_call(info, &number);
  if (env.IsExceptionPending()) return {};
  if (!call) return refusal(env, ENOENT, "caller");
  Arguments arguments(info, nullptr);
  const std::string kind = arguments.string(arguments.field(info[1], "name"), "name");
  const std::uint64_t size_bytes =
      arguments.uint64(arguments.field(info[1], "sizeBytes"), "sizeBytes");
  const bool mapped = arguments.field(info[1], "mapped").ToBoolean();
  const bool close_on_exec = arguments.field(info[1], "closeOnExec").ToBoolean();
  const bool system = arguments.field(info[1], "system").ToBoolean();
  if (arguments.is_wrong()) return mistake(arguments);

  NewFile file = loop_->files().make(kind.c_str(), size_bytes, mapped);
  if (file.error != 0) return refusal(env, file.error, "supervisor");
  if (system) loop_->is_system(file.number);
  loop_->calls().remove(number);
  const Installed installed = loop_->install(call->id, file, close_on_exec);
  if (installed.error != 0) {
    // EMFILE: the caller still waits, for that answer.
    if (installed.error != ENOENT) loop_->calls().put_back(number, *call);
    return refusal(env, installed.error, "caller");
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("fd", installed.fd);
  result.Set("file", file.number);
  if (file.mapping) result.Set("memory", shared_bytes(env, std::move(file.mapping)));
  return result;
}

Napi::Value Supervisor::is_waiting(const Napi::CallbackInfo& info) {
  CallNumber number;
  const std::optional<Call> call = waiting_call(info, &number);
  return Napi::Boolean::New(info.Env(),
                            call && supervisor::is_waiting(loop_->listener(), call->id));
}

Napi::Value Supervisor::find_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  const pid_t thread = thread_argument(arguments);
  const std::uint32_t fd = arguments.uint32(info[1], "fd");
  if (arguments.is_wrong()) return mistake(arguments);
  const WatchedFiles::Found found = loop_->files().find(thread, static_cast<int>(fd));
  switch (found.lookup) {
    case WatchedFiles::Lookup::ours:
      return Napi::Number::New(env, found.number);
    case WatchedFiles::Lookup::other:
      return Napi::Number::New(env, 0);
    case WatchedFiles::Lookup::not_open:
    case WatchedFiles::Lookup::out_of_reach:
      break;
  }
  return env.Undefined();
}

// The kernel's advice for both: the id still being valid means that the memory was the caller's.

Napi::Value Supervisor::read_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  CallNumber number;
  const std::optional<Call> call = waiting_call(info, &number);
  if (!call) return Napi::Boolean::New(env, false);
  Arguments arguments(info, nullptr);
  const std::uint64_t address = arguments.uint64(info[1], "address");
  const std::span<const std::byte> into = arguments.view(info[2], "into");
  if (arguments.is_wrong()) return mistake(arguments);
  const Access access = supervisor::read_memory(
      call->thread, address, {const_cast<std::byte*>(into.data()), into.size()});
  return Napi::Boolean::New(env, access == Access::done &&
                                     supervisor::is_waiting(loop_->listener(), call->id));
}

Napi::Value Supervisor::until_signal(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t number = arguments.uint32(info[0], "call");
  std::optional<SignalSet> blocked;
  if (!info[1].IsUndefined()) blocked = arguments.uint64(info[1], "blocked");
  if (arguments.is_wrong()) return mistake(arguments);
  loop_->calls().wait_for_signal(number, blocked);
  return info.Env().Undefined();
}

Napi::Value Supervisor::has_signal(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const pid_t thread = thread_argument(arguments);
  if (arguments.is_wrong()) return mistake(arguments);
  return Napi::Boolean::New(info.Env(), has_pending_signal(thread));
}

Napi::Value Supervisor::write_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  CallNumber number;
  const std::optional<Call> call = waiting_call(info, &number);
  if (!call || !supervisor::is_waiting(loop_->listener(), call->id)) {
    return Napi::Boolean::New(env, false);
  }
  Arguments arguments(info, nullptr);
  const std::uint64_t address = arguments.uint64(info[1], "address");
  const std::span<const std::byte> bytes = arguments.view(info[2], "bytes");
  if (arguments.is_wrong()) return mistake(arguments);
  return Napi::Boolean::New(
      env, supervisor::write_memory(call->thread, address, bytes) == Access::done);
}

Napi::Value Supervisor::signal(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t number = arguments.uint32(info[0], "signal", 0, SIGRTMAX);
  if (arguments.is_wrong()) return mistake(arguments);
  const int pidfd = loop_->client().pidfd.get();
  return Napi::Boolean::New(
      info.Env(), ::syscall(__NR_pidfd_send_signal, pidfd, number, nullptr, 0) == 0);
}

Napi::Value Supervisor::stop(const Napi::CallbackInfo& info) {
  loop_->stop();
  if (!loop_->has_ended() && handlers_ != nullptr) std::exchange(handlers_, nullptr)->abandon();
  return info.Env().Undefined();
}

}  // namespace tdctl::supervisor
