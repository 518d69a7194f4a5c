#include "task.h"

namespace tdctl {

// Any call that may run JS tells.
bool can_run_js(napi_env env) {
  napi_value object;
  bool has_element;
  return napi_create_object(env, &object) == napi_ok &&
         napi_has_element(env, object, 0, &has_element) == napi_ok;
}

void Task::queue(Napi::Env env, std::unique_ptr<Task> task) {
  const auto execute = [](napi_env, void* data) { static_cast<Task*>(data)->execute(); };
  const auto complete = [](napi_env raw_env, napi_status status, void* data) {
    std::unique_ptr<Task> self(static_cast<Task*>(data));
    napi_delete_async_work(raw_env, std::exchange(self->work_, nullptr));
    if (status != napi_ok || !can_run_js(raw_env)) return;
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
