#include "task.h"

namespace tdctl {

void Task::queue(Napi::Env env, std::unique_ptr<Task> task) {
  const auto execute = [](napi_env, void* data) { static_cast<Task*>(data)->execute(); };
  const auto complete = [](napi_env raw_env, napi_status status, void* data) {
    std::unique_ptr<Task> self(static_cast<Task*>(data));
    napi_delete_async_work(raw_env, std::exchange(self->work_, nullptr));
    if (status != napi_ok) return;
    Task& task = *self;
    task.complete(Napi::Env(raw_env), std::move(self));
  };
  // Both calls fail only while the environment goes away; then nobody waits for the promise.
  const Napi::String name = Napi::String::New(env, "tdctl");
  if (napi_create_async_work(env, nullptr, name, execute, complete, task.get(), &task->work_) !=
      napi_ok) {
    return;
  }
  if (napi_queue_async_work(env, task->work_) != napi_ok) {
    napi_delete_async_work(env, task->work_);
    return;
  }
  // `complete` owns it from here on.
  static_cast<void>(task.release());
}

}  // namespace tdctl
