#include "guest.h"

#include <cerrno>
#include <utility>

#include "guest_exit_js.h"
#include "util/arguments.h"
#include "util/bytes_js.h"
#include "util/js_error.h"
#include "util/task.h"

namespace tdctl {

namespace {

void stop_threads(void* parts) { static_cast<GuestParts*>(parts)->vcpus->stop(); }

Napi::Error refusal(Napi::Env env, int error_number, const std::string& sentence) {
  return js_error(env, refused(error_number, sentence));
}

Napi::Value thrown(Napi::Env env, int error_number, const std::string& sentence) {
  return tdctl::thrown(refusal(env, error_number, sentence));
}

}  // namespace

GuestParts::~GuestParts() {
  release();
  if (channel) channel->close();
}

void GuestParts::release() {
  if (vcpus) vcpus->stop();
  for (const auto& handle : handles) handle->set_hold(FdHandle::Hold::none);
  handles.clear();
  uses.clear();
}

Napi::Function Guest::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         StaticMethod<&Guest::make>("make"),
                         InstanceMethod<&Guest::run>("run"),
                         InstanceMethod<&Guest::pause>("pause"),
                         InstanceMethod<&Guest::stop>("stop"),
                         InstanceMethod<&Guest::input>("input"),
                         InstanceMethod<&Guest::counts>("counts"),
                         InstanceMethod<&Guest::entered>("entered"),
                         InstanceMethod<&Guest::times>("times"),
                         InstanceMethod<&Guest::await_parked>("awaitParked"),
                         InstanceMethod<&Guest::await_called>("awaitCalled"),
                         InstanceMethod<&Guest::tell_now>("tellNow"),
                         InstanceMethod<&Guest::prepare_packed>("preparePacked"),
                         InstanceMethod<&Guest::get_packed>("getPacked"),
                         InstanceMethod<&Guest::set_packed>("setPacked"),
                         InstanceMethod<&Guest::get_devices>("getDevices"),
                         InstanceMethod<&Guest::set_devices>("setDevices"),
                     });
}

Guest::Guest(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Guest>(info) {
  auto parts = begin_construction<Guest>(info);
  if (!parts) return;
  parts_ = std::move(*parts);
  // A vCPU that nobody had called before is as KVM_CREATE_VCPU made it: one call is the guest's own.
  calls_made_.assign(parts_->handles.size(), 1);
  self_ = std::make_shared<Guest*>(this);
  parts_->channel->serve([this](Napi::Env env) { serve(env); });
  // Hooks run last in, first out, and the channel has one of its own: the threads must be gone before
  // what they wake.
  napi_add_env_cleanup_hook(info.Env(), stop_threads, parts_.get());
  // What came up before there was somebody to serve it.
  parts_->channel->wake();
}

Guest::~Guest() {
  if (!parts_) return;
  *self_ = nullptr;
  napi_remove_env_cleanup_hook(Env(), stop_threads, parts_.get());
}

Napi::Value Guest::run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (stopped_) return thrown(env, EBADF, guest_is_stopped);
  if (parts_->vcpus->has_ended()) return thrown(env, ESHUTDOWN, "the guest has ended");
  for (const auto& handle : parts_->handles) {
    // One is the guest's own.
    if (!running_ && handle->calls_in_flight() > 1) {
      return thrown(env, EBUSY, "a call on a vCPU of the guest is still in flight");
    }
  }
  // Those that had come to rest before, told or not, have been paused.
  if (!pauses_.empty() && parts_->vcpus->pause()) all_parked(env);
  reject_pauses(env, "the guest was run again before all of its vCPUs had parked");
  set_running(env, true);
  std::vector<bool> changed;
  for (std::size_t at = 0; at < parts_->handles.size(); ++at) {
    const std::uint64_t made = parts_->handles[at]->calls_made();
    changed.push_back(std::exchange(calls_made_[at], made) != made);
  }
  parts_->vcpus->run(changed);
  // Of a run before, which went on in some vCPUs and began anew in others.
  settle_entries(env);
  return env.Undefined();
}

Napi::Value Guest::pause(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (stopped_) return rejected(env, refusal(env, EBADF, guest_is_stopped));
  const auto deferred = Napi::Promise::Deferred::New(env);
  pauses_.push_back(deferred);
  if (parts_->vcpus->pause()) {
    // Nobody tells of it where the vCPUs are parked already, as after a run that no thread has noticed. Only
    // where that is known has all been told that they have written.
    if (running_) {
      parts_->channel->wake();
    } else {
      all_parked(env);
    }
  }
  return deferred.Promise();
}

Napi::Value Guest::stop(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (std::exchange(stopped_, true)) return env.Undefined();
  parts_->release();
  reject_pauses(env, guest_is_stopped);
  reject_entries(env, guest_is_stopped);
  // Until what is left of the console has been told; see serve().
  if (!std::exchange(running_, true)) {
    Ref();
    parts_->channel->keep_alive(env, true);
  }
  parts_->channel->wake();
  return env.Undefined();
}

Napi::Value Guest::input(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::span<const std::byte> bytes = arguments.view(info[0], "bytes");
  if (arguments.is_wrong()) {
    arguments.mistake().ThrowAsJavaScriptException();
    return {};
  }
  const std::size_t taken = stopped_ ? 0 : parts_->vcpus->receive(bytes);
  return Napi::Number::New(info.Env(), static_cast<double>(taken));
}

Napi::Value Guest::counts(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  const GuestVcpus::Counts counts = parts_->vcpus->counts();
  object.Set("exits", static_cast<double>(counts.exits));
  object.Set("handedOn", static_cast<double>(counts.handed_on));
  object.Set("handlerErrors", static_cast<double>(handler_errors_));
  object.Set("lostConsoleBytes", static_cast<double>(lost_console_bytes_));
  return object;
}

void Guest::serve(Napi::Env env) {
  // Held for as long as handlers run. Empty: it was collected, and its finalizer is on the way.
  const Napi::Value self = Value();
  if (self.IsEmpty()) return;
  GuestVcpus::Taken taken = parts_->vcpus->take();
  tell_console(env, parts_->handlers.console, taken.console);
  tell_console(env, parts_->handlers.debug_console, taken.debug_console);
  for (const std::uint32_t vcpu : taken.waiting) {
    if (!stopped_ && can_run_js(env)) hand_over(env, vcpu);
  }
  if (!can_run_js(env)) return;
  // Again, because a handler may have run it meanwhile.
  if (taken.all_parked && !stopped_ && parts_->vcpus->are_parked()) all_parked(env);
  settle_entries(env);
  if (taken.end) tell(env, parts_->handlers.ended, {end_to_js(env, *taken.end)});
  // A handler may have stopped it on the way; then there is another wake, for what it wrote meanwhile.
  if (!stopped_ || !running_ || !taken.console.empty() || !taken.debug_console.empty()) {
    if (stopped_ && running_) parts_->channel->wake();
    return;
  }
  set_running(env, false);
  parts_->channel->close();
  parts_->handlers = {};
}

void Guest::hand_over(Napi::Env env, std::uint32_t vcpu) {
  const Napi::HandleScope scope(env);
  const Napi::Value exit = exit_to_js(env, parts_->vcpus->run_of(vcpu));
  Napi::Value result;
  if (!tell(env, parts_->handlers.exit, {Napi::Number::New(env, vcpu), exit}, &result)) {
    return answer(env, vcpu, env.Undefined());
  }
  // Empty: this thread is being terminated.
  if (result.IsEmpty()) return;
  if (!result.IsPromise()) return answer(env, vcpu, result);
  const auto fulfilled = [self = self_, vcpu](const Napi::CallbackInfo& info) {
    if (*self != nullptr) (*self)->answer(info.Env(), vcpu, info[0]);
  };
  const auto failed = [self = self_, vcpu](const Napi::CallbackInfo& info) {
    if (*self == nullptr) return;
    (*self)->report(info.Env(), info[0]);
    (*self)->answer(info.Env(), vcpu, info.Env().Undefined());
  };
  const Napi::Value then = result.As<Napi::Object>().Get("then");
  if (then.IsEmpty() || !then.IsFunction()) return answer(env, vcpu, env.Undefined());
  then.As<Napi::Function>().Call(
      result, {Napi::Function::New(env, fulfilled), Napi::Function::New(env, failed)});
}

// The answer of an absent device is there already: a mistake leaves it.
void Guest::answer(Napi::Env env, std::uint32_t vcpu, Napi::Value value) {
  if (stopped_) return;
  Arguments arguments(env);
  uapi::kvm_run& run = parts_->vcpus->run_of(vcpu);
  const bool is_mended = apply_answer(arguments, value, run);
  if (arguments.is_wrong()) report(env, arguments.mistake().Value());
  // A handler of failures may have stopped it.
  if (stopped_) return;
  if (run.exit_reason == uapi::kvm_exit_memory_fault && !is_mended) {
    parts_->vcpus->end(GuestEnd::Kind::memory_fault, vcpu);
  }
  parts_->vcpus->release(vcpu);
}

bool Guest::tell(Napi::Env env, const Napi::FunctionReference& handler,
                 const std::initializer_list<napi_value>& values, Napi::Value* result) {
  const Napi::Value returned = handler.Value().Call(values);
  if (env.IsExceptionPending()) {
    report(env, env.GetAndClearPendingException().Value());
    return false;
  }
  if (result != nullptr) *result = returned;
  return true;
}

void Guest::tell_console(Napi::Env env, const Napi::FunctionReference& handler,
                         const ConsoleBuffer::Taken& taken) {
  if (taken.empty() || handler.IsEmpty() || !can_run_js(env)) return;
  const Napi::HandleScope scope(env);
  lost_console_bytes_ += taken.lost_bytes;
  const Napi::Value bytes = bytes_to_js(env, taken.bytes);
  if (bytes.IsEmpty()) return;
  tell(env, handler, {bytes, Napi::Number::New(env, static_cast<double>(taken.lost_bytes))});
}

void Guest::report(Napi::Env env, Napi::Value thrown) {
  ++handler_errors_;
  if (parts_->handlers.failed.IsEmpty() || !can_run_js(env)) return;
  parts_->handlers.failed.Value().Call({thrown});
  napi_value again = nullptr;
  // Nobody is left who could take it.
  if (env.IsExceptionPending() && napi_get_and_clear_last_exception(env, &again) == napi_ok) {
    napi_fatal_exception(env, again);
  }
}

void Guest::all_parked(Napi::Env env) {
  set_running(env, false);
  settle_entries(env);
  for (const auto& pause : std::exchange(pauses_, {})) pause.Resolve(env.Undefined());
}

bool Guest::expect_parked(Napi::Env env) {
  if (stopped_) {
    thrown(env, EBADF, guest_is_stopped);
  } else if (running_) {
    thrown(env, EBUSY, guest_runs);
  }
  return !stopped_ && !running_;
}

void Guest::reject_pauses(Napi::Env env, const std::string& sentence) {
  for (const auto& pause : std::exchange(pauses_, {})) {
    pause.Reject(refusal(env, ECANCELED, sentence).Value());
  }
}

// While it runs, the collector must not stop it nor the process end, and nobody gets at its vCPUs.
void Guest::set_running(Napi::Env env, bool running) {
  for (const auto& handle : parts_->handles) {
    handle->set_hold(running ? FdHandle::Hold::running : FdHandle::Hold::parked);
  }
  if (std::exchange(running_, running) == running) return;
  if (running) {
    Ref();
  } else {
    Unref();
  }
  parts_->channel->keep_alive(env, running);
}

}  // namespace tdctl
