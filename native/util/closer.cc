#include "closer.h"

#include <mutex>
#include <utility>
#include <vector>

#include "task.h"

namespace tdctl {

class Closer::Batch {
 public:
  // False once the worker thread has begun: the next batch must take it. JS thread.
  bool add(Closing& closing, Napi::Promise::Deferred deferred) {
    const std::lock_guard lock(mutex_);
    if (begun_) return false;
    closings_.push_back(std::move(closing));
    deferreds_.push_back(deferred);
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
  void settle(Napi::Env env) {
    for (const auto& deferred : deferreds_) deferred.Resolve(env.Undefined());
  }

 private:
  std::mutex mutex_;
  bool begun_ = false;
  std::vector<Closing> closings_;
  std::vector<Napi::Promise::Deferred> deferreds_;
};

class Closer::CloseTask final : public Task {
 public:
  explicit CloseTask(std::shared_ptr<Batch> batch) : batch_(std::move(batch)) {}
  void execute() override { batch_->close_all(); }
  void complete(Napi::Env env, std::unique_ptr<Task>) override { batch_->settle(env); }

 private:
  std::shared_ptr<Batch> batch_;
};

void Closer::close(Napi::Env env, Closing closing, Napi::Promise::Deferred deferred) {
  if (filling_ && filling_->add(closing, deferred)) return;
  filling_ = std::make_shared<Batch>();
  filling_->add(closing, deferred);
  Task::queue(env, std::make_unique<CloseTask>(filling_));
}

}  // namespace tdctl
