#include "closer.h"

#include <mutex>
#include <utility>
#include <vector>

#include "task.h"

namespace tdctl {

KeptPromise keep(Napi::Promise promise) {
  return std::make_shared<Napi::ObjectReference>(Napi::Persistent(promise.As<Napi::Object>()));
}

class Closer::Batch {
 public:
  explicit Batch(Napi::Env env)
      : deferred_(Napi::Promise::Deferred::New(env)), promise_(keep(deferred_.Promise())) {}

  // False once the worker thread has begun: the next batch must take it. JS thread.
  bool add(Closing& closing) {
    const std::lock_guard lock(mutex_);
    if (begun_) return false;
    closings_.push_back(std::move(closing));
    return true;
  }

  // Worker thread.
  void close_all() {
    std::vector<Closing> closings;
    {
      const std::lock_guard lock(mutex_);
      begun_ = true;
      closings.swap(closings_);
    }
    for (Closing& closing : closings) {
      closing.fd.reset();
      closing.memory.reset();
    }
  }

  // JS thread, after close_all().
  void settle(Napi::Env env) { deferred_.Resolve(env.Undefined()); }

  const KeptPromise& promise() const { return promise_; }

 private:
  std::mutex mutex_;
  bool begun_ = false;
  std::vector<Closing> closings_;
  Napi::Promise::Deferred deferred_;
  KeptPromise promise_;
};

class Closer::CloseTask final : public Task {
 public:
  explicit CloseTask(std::shared_ptr<Batch> batch) : batch_(std::move(batch)) {}
  void execute() override { batch_->close_all(); }
  void complete(Napi::Env env, std::unique_ptr<Task>) override { batch_->settle(env); }

 private:
  std::shared_ptr<Batch> batch_;
};

KeptPromise Closer::close(Napi::Env env, Closing closing) {
  if (filling_ && filling_->add(closing)) return filling_->promise();
  filling_ = std::make_shared<Batch>(env);
  filling_->add(closing);
  Task::queue(env, std::make_unique<CloseTask>(filling_));
  return filling_->promise();
}

}  // namespace tdctl
