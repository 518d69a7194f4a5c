#include "handlers.h"

#include <string>
#include <type_traits>
#include <utility>

#include "../util/errno_name.h"
#include "notifications.h"

namespace tdctl::supervisor {

namespace {

// So long calls are answered one after the other; then timers, signals and streams have their turn.
constexpr std::chrono::milliseconds longest_turn{2};

template <typename... Alternatives>
struct Overloaded : Alternatives... {
  using Alternatives::operator()...;
};

const char* name_of(Abi abi) {
  switch (abi) {
    case Abi::x86_64:
      return "x86-64";
    case Abi::x32:
      return "x32";
    case Abi::i386:
      return "i386";
  }
  return "";
}

// 0 where the event is none.
CallNumber call_of(const Event& event) {
  if (const auto* open = std::get_if<OpenEvent>(&event)) return open->call;
  if (const auto* ioctl = std::get_if<IoctlEvent>(&event)) return ioctl->call;
  if (const auto* allocation = std::get_if<FallocateEvent>(&event)) return allocation->call;
  return 0;
}

}  // namespace

std::atomic<std::uint32_t> Handlers::queued = 0;

Handlers* Handlers::make(Napi::Env env, Napi::Object functions) {
  std::unique_ptr<Handlers> handlers(new Handlers());
  const std::pair<const char*, Napi::FunctionReference*> members[] = {
      {"opened", &handlers->opened_},       {"ioctl", &handlers->ioctl_},
      {"fallocate", &handlers->fallocate_},
      {"interrupted", &handlers->interrupted_}, {"closed", &handlers->closed_},
      {"outOfReach", &handlers->out_of_reach_}, {"unserved", &handlers->unserved_},
      {"exited", &handlers->exited_},           {"guardLost", &handlers->guard_lost_},
      {"ended", &handlers->ended_},             {"failed", &handlers->failed_},
  };
  for (const auto& [name, member] : members) {
    const Napi::Value function = functions.Get(name);
    if (!env.IsExceptionPending() && !function.IsFunction()) {
      Napi::TypeError::New(env, std::string("`handlers.") + name + "` must be a function")
          .ThrowAsJavaScriptException();
    }
    if (env.IsExceptionPending()) return nullptr;
    *member = Napi::Persistent(function.As<Napi::Function>());
  }
  napi_get_uv_event_loop(env, &handlers->event_loop_);
  const Napi::String resource = Napi::String::New(env, "tdctl supervisor");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, resource, 0, 1, handlers.get(),
                                      &Handlers::finalize, handlers.get(), &Handlers::call_js,
                                      &handlers->function_) != napi_ok) {
    Napi::Error::New(env, "no thread-safe function").ThrowAsJavaScriptException();
    return nullptr;
  }
  return handlers.release();
}

void Handlers::tell(Event event) {
  const bool last = std::holds_alternative<EndedEvent>(event);
  auto boxed = std::make_unique<Event>(std::move(event));
  ++queued;
  if (napi_call_threadsafe_function(function_, boxed.get(), napi_tsfn_nonblocking) == napi_ok) {
    static_cast<void>(boxed.release());
  } else {
    --queued;
  }
  if (last) napi_release_threadsafe_function(function_, napi_tsfn_release);
}

void Handlers::keep(Napi::Object supervisor) { supervisor_ = Napi::Persistent(supervisor); }

void Handlers::abandon() {
  // Nothing is aborted where the last event is queued already: what was told before would still be dispatched.
  is_abandoned_ = true;
  supervisor_.Reset();
  napi_release_threadsafe_function(function_, napi_tsfn_abort);
}

void Handlers::finalize(napi_env, void* data, void*) { delete static_cast<Handlers*>(data); }

// `env` is null while the environment is torn down.
void Handlers::call_js(napi_env raw, napi_value, void* context, void* data) {
  const std::unique_ptr<Event> event(static_cast<Event*>(data));
  --queued;
  if (raw == nullptr) return;
  const Napi::Env env(raw);
  const Napi::HandleScope scope(env);
  auto& handlers = *static_cast<Handlers*>(context);
  if (handlers.is_abandoned_) return;
  const CallNumber call = call_of(*event);
  handlers.dispatch(env, *event);
  if (env.IsExceptionPending()) handlers.report_thrown(env, call);
  // Nothing is left of it once a handler stopped the supervisor and dropped it.
  const std::shared_ptr<Loop> loop = handlers.loop_.lock();
  if (call != 0 && loop) handlers.after_call(env, *loop, call);
}

void Handlers::dispatch(Napi::Env env, const Event& event) {
  const auto number = [env](double value) -> napi_value { return Napi::Number::New(env, value); };
  std::visit(
      Overloaded{
          [&](const OpenEvent& open) {
            opened_.Call({number(open.call), number(open.thread), number(open.identity.process),
                          number(open.identity.address_space),
                          Napi::Boolean::New(env, open.close_on_exec), number(open.flags)});
          },
          [&](const IoctlEvent& ioctl) {
            ioctl_.Call({number(ioctl.call), number(ioctl.thread), number(ioctl.identity.process),
                         number(ioctl.identity.address_space), number(ioctl.file),
                         number(ioctl.request), Napi::BigInt::New(env, ioctl.argument)});
          },
          [&](const FallocateEvent& asked) {
            fallocate_.Call({number(asked.call), number(asked.thread),
                             number(asked.identity.process), number(asked.identity.address_space),
                             number(asked.file), number(asked.mode),
                             Napi::BigInt::New(env, asked.offset),
                             Napi::BigInt::New(env, asked.length)});
          },
          [&](const InterruptedEvent& interrupted) {
            interrupted_.Call({number(interrupted.call)});
          },
          [&](const ClosedEvent& closed) { closed_.Call({number(closed.file)}); },
          [&](const OutOfReachEvent& event) { 
            out_of_reach_.Call({number(event.thread),
                                Napi::String::New(env, errno_name(event.error))});
          },
          [&](const UnservedEvent& unserved) {
            unserved_.Call({Napi::String::New(env, unserved.call),
                            Napi::String::New(env, name_of(unserved.abi)),
                            Napi::String::New(env, errno_name(unserved.error))});
          },
          [&](const ExitedEvent& exited) {
            exited_.Call({Napi::String::New(env, exited.end.by_signal ? "signal" : "code"),
                          number(exited.end.status)});
          },
          [&](const GuardLostEvent&) { guard_lost_.Call({}); },
          [&](const EndedEvent&) {
            ended_.Call({});
            supervisor_.Reset();
          },
      },
      event);
}

// The report comes first: whoever ends the program on it spares it an errno that no kernel gave.
void Handlers::report_thrown(Napi::Env env, CallNumber call) {
  napi_value thrown = nullptr;
  napi_get_and_clear_last_exception(env, &thrown);
  failed_.Call({thrown});
  if (const std::shared_ptr<Loop> loop = loop_.lock()) loop->refuse_unanswered(call);
  // Nobody is left who could take it.
  if (env.IsExceptionPending() &&
      napi_get_and_clear_last_exception(env, &thrown) == napi_ok) {
    napi_fatal_exception(env, thrown);
  }
}

void Handlers::after_call(Napi::Env env, Loop& loop, CallNumber call) {
  const std::optional<Call> waiting = loop.calls().find(call);
  if (!waiting) return linger(loop);
  if (waiting->kept) return loop.stop_lingering();
  Napi::Error::New(env, "a handler neither answered its call nor kept it")
      .ThrowAsJavaScriptException();
  report_thrown(env, call);
  loop.stop_lingering();
}

// What is queued comes first, and the event loop's turn has an end.
void Handlers::linger(Loop& loop) {
  if (queued > 0) return loop.stop_lingering();
  uv_metrics_t metrics;
  uv_metrics_info(event_loop_, &metrics);
  if (metrics.loop_count != turn_) {
    turn_ = metrics.loop_count;
    turn_began_ = Loop::Clock::now();
  }
  loop.linger(turn_began_ + longest_turn);
}

}  // namespace tdctl::supervisor
