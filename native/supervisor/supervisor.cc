#include "supervisor.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <string>
#include <utility>

#include "../util/arguments.h"
#include "client_memory.h"
#include "file_table.h"
#include "handlers.h"
#include "js_answers.h"
#include "notifications.h"

namespace tdctl::supervisor {

namespace {

// MAX_ERRNO: what is beyond would come out as a result.
constexpr std::uint32_t most_errno = 4095;

// {errno, code, whose}: whose it is that lacks something.
Napi::Object refusal_by(const char* whose, Napi::Env env, int error) {
  Napi::Object object = refusal(env, error);
  object.Set("whose", whose);
  return object;
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

Mappable mappable_named(const std::string& name) {
  if (name == "any") return Mappable::any;
  return name == "shared" ? Mappable::shared : Mappable::no;
}

void stop_loop(void* loop) { static_cast<Loop*>(loop)->stop(); }

pid_t thread_argument(Arguments& arguments) {
  return static_cast<pid_t>(arguments.uint32(arguments.at(0), "thread", 1, INT32_MAX));
}

}  // namespace

Napi::Function Supervisor::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         StaticMethod<&Supervisor::launch>("launch"),
                         StaticMethod<&Supervisor::hold>("hold"),
                         StaticMethod<&Supervisor::adopt>("adopt"),
                         InstanceAccessor<&Supervisor::get_pid>("pid"),
                         InstanceMethod<&Supervisor::answer>("answer"),
                         InstanceMethod<&Supervisor::refuse>("refuse"),
                         InstanceMethod<&Supervisor::let_through>("letThrough"),
                         InstanceMethod<&Supervisor::install>("install"),
                         InstanceMethod<&Supervisor::keep>("keep"),
                         InstanceMethod<&Supervisor::is_waiting>("isWaiting"),
                         InstanceMethod<&Supervisor::has_descriptor>("hasDescriptor"),
                         InstanceMethod<&Supervisor::find_file>("findFile"),
                         InstanceMethod<&Supervisor::read_memory>("readMemory"),
                         InstanceMethod<&Supervisor::until_signal>("untilSignal"),
                         InstanceMethod<&Supervisor::has_signal>("hasSignal"),
                         InstanceMethod<&Supervisor::write_memory>("writeMemory"),
                         InstanceMethod<&Supervisor::signal>("signal"),
                         InstanceMethod<&Supervisor::end_all>("endAll"),
                         InstanceMethod<&Supervisor::stop>("stop"),
                         InstanceMethod<&Supervisor::answer_by_itself>("answerByItself"),
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

// The four ways to answer. False: nobody got the answer.

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

Napi::Value Supervisor::let_through(const Napi::CallbackInfo& info) {
  return send(info, supervisor::let_through);
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
  if (!call) return refusal_by("caller", env, ENOENT);
  Arguments arguments(info, nullptr);
  const std::string kind = arguments.string(arguments.field(info[1], "name"), "name");
  FileShape shape = {
      .name = kind.c_str(),
      .size_bytes = arguments.uint64(arguments.field(info[1], "sizeBytes"), "sizeBytes"),
      .mapped = arguments.field(info[1], "mapped").ToBoolean(),
      .mappable = mappable_named(
          arguments.string(arguments.field(info[1], "mappable"), "mappable")),
      .flags = static_cast<int>(
          arguments.uint32(arguments.field(info[1], "flags"), "flags", 0, INT32_MAX)),
  };
  const bool close_on_exec = arguments.field(info[1], "closeOnExec").ToBoolean();
  const bool system = arguments.field(info[1], "system").ToBoolean();
  const bool aside = arguments.field(info[1], "aside").ToBoolean();
  // The last that is read, as no JS may run until it is copied.
  const Napi::Value content = arguments.field(info[1], "content");
  if (!content.IsUndefined()) shape.content = arguments.view(content, "content");
  if (arguments.is_wrong()) return mistake(arguments);

  NewFile file = loop_->files().make(shape);
  if (file.error != 0) return refusal_by("supervisor", env, file.error);
  if (system) loop_->is_system(file.number);
  loop_->calls().remove(number);
  const Installed installed =
      loop_->install(call->id, file, {.close_on_exec = close_on_exec, .answers = !aside});
  // Aside, or EMFILE: the caller still waits, for another answer.
  if (installed.error != ENOENT && (aside || installed.error != 0)) {
    loop_->calls().put_back(number, *call);
  }
  if (installed.error != 0) {
    return refusal_by("caller", env, installed.error);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("fd", installed.fd);
  result.Set("file", file.number);
  if (file.mapping) result.Set("memory", shared_bytes(env, std::move(file.mapping)));
  return result;
}

Napi::Value Supervisor::keep(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t number = arguments.uint32(info[0], "call");
  if (arguments.is_wrong()) return mistake(arguments);
  loop_->calls().keep(number);
  return info.Env().Undefined();
}

Napi::Value Supervisor::is_waiting(const Napi::CallbackInfo& info) {
  CallNumber number;
  const std::optional<Call> call = waiting_call(info, &number);
  return Napi::Boolean::New(info.Env(),
                            call && supervisor::is_waiting(loop_->listener(), call->id));
}

Napi::Value Supervisor::has_descriptor(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const pid_t thread = thread_argument(arguments);
  if (arguments.is_wrong()) return mistake(arguments);
  return Napi::Boolean::New(info.Env(), supervisor::has_descriptor(thread));
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
    case WatchedFiles::Lookup::native_kvm:
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

Napi::Value Supervisor::end_all(const Napi::CallbackInfo& info) {
  loop_->client().guard.end_all();
  return info.Env().Undefined();
}

Napi::Value Supervisor::answer_by_itself(const Napi::CallbackInfo& info) {
  loop_->answer_by_itself(info[0].ToBoolean());
  return info.Env().Undefined();
}

Napi::Value Supervisor::stop(const Napi::CallbackInfo& info) {
  loop_->stop();
  if (!loop_->has_ended() && handlers_ != nullptr) std::exchange(handlers_, nullptr)->abandon();
  return info.Env().Undefined();
}

}  // namespace tdctl::supervisor
