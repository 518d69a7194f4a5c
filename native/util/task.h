// Work off the main thread, with a promise in the end.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "js_error.h"
#include "result.h"

namespace tdctl {

// False while a terminated worker thread drains its last work: then nothing can be resolved, and
// node-addon-api would abort the process over an object it could not make.
bool can_run_js(napi_env env);

// Made, completed and destroyed on the JS thread; executed on a worker thread. When the
// environment is torn down before a task got its turn, or before its end could be told, it is
// destroyed without. A worker thread may be terminated at any moment, also within complete(): what
// JS returns there may be empty.
class Task {
 public:
  virtual ~Task() = default;
  virtual void execute() = 0;
  // Owns itself, so that a task with more to do can queue itself again.
  virtual void complete(Napi::Env env, std::unique_ptr<Task> self) = 0;

  static void queue(Napi::Env env, std::unique_ptr<Task> task);

 private:
  napi_async_work work_ = nullptr;
};

template <typename Work, typename ToJs>
class PromiseTask final : public Task {
 public:
  using Output = std::remove_reference_t<decltype(std::declval<Work&>()().value())>;

  PromiseTask(Napi::Env env, Work work, ToJs to_js)
      : work_(std::move(work)),
        to_js_(std::move(to_js)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void execute() override { result_.emplace(work_()); }

  void complete(Napi::Env env, std::unique_ptr<Task>) override {
    if (!result_->ok()) {
      deferred_.Reject(js_error(env, result_->failure()).Value());
      return;
    }
    const Napi::Value value = to_js_(env, std::move(result_->value()));
    // Empty: `to_js` could not make its object.
    if (env.IsExceptionPending()) {
      deferred_.Reject(env.GetAndClearPendingException().Value());
    } else {
      deferred_.Resolve(value);
    }
  }

 private:
  Work work_;
  ToJs to_js_;
  Napi::Promise::Deferred deferred_;
  std::optional<Result<Output>> result_;
};

// Runs `work`, () -> Result<T>, on a worker thread and `to_js`, (Napi::Env, T) -> Napi::Value, on
// the JS thread. What they captured lives until the promise is settled.
template <typename Work, typename ToJs>
Napi::Promise run_off_thread(Napi::Env env, Work work, ToJs to_js) {
  auto task = std::make_unique<PromiseTask<Work, ToJs>>(env, std::move(work), std::move(to_js));
  const Napi::Promise promise = task->promise();
  Task::queue(env, std::move(task));
  return promise;
}

inline Napi::Promise rejected(Napi::Env env, const Napi::Error& error) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  deferred.Reject(error.Value());
  return deferred.Promise();
}

}  // namespace tdctl
