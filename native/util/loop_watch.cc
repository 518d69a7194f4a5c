#include "loop_watch.h"

#include <utility>

#include "task.h"

namespace tdctl {

std::shared_ptr<LoopWatch> LoopWatch::start(Napi::Env env, int fd, int events, Receiver receiver,
                                            std::optional<std::uint64_t> timeout_ms) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  auto watch = std::make_shared<LoopWatch>(env);
  if (uv_poll_init(loop, &watch->poll_, fd) != 0) return nullptr;
  uv_timer_init(loop, &watch->timer_);
  watch->poll_.data = watch->timer_.data = watch.get();
  watch->open_ = 2;
  watch->self_ = watch;
  watch->receiver_ = std::move(receiver);
  const auto end = [](napi_async_cleanup_hook_handle, void* data) {
    static_cast<LoopWatch*>(data)->stop();
  };
  napi_add_async_cleanup_hook(env, end, watch.get(), &watch->hook_);
  watch->want(events);
  if (timeout_ms) uv_timer_start(&watch->timer_, on_timeout, *timeout_ms, 0);
  return watch;
}

void LoopWatch::want(int events) {
  if (!is_stopped_) uv_poll_start(&poll_, events, on_poll);
}

void LoopWatch::stop() {
  if (std::exchange(is_stopped_, true)) return;
  // From here on the fd may be closed: libuv does not look at it any more.
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_closed);
  // What it holds may hold this. It may be what is running, so it lives on until that has returned.
  const Receiver last = std::exchange(receiver_, nullptr);
}

void LoopWatch::on_closed(uv_handle_t* handle) {
  auto* watch = static_cast<LoopWatch*>(handle->data);
  if (--watch->open_ > 0) return;
  // The end of an environment waits for this.
  if (watch->hook_ != nullptr) napi_remove_async_cleanup_hook(watch->hook_);
  const std::shared_ptr<LoopWatch> last = std::move(watch->self_);
}

void LoopWatch::on_poll(uv_poll_t* poll, int status, int) {
  static_cast<LoopWatch*>(poll->data)->tell(status == 0 ? What::ready : What::failed);
}

void LoopWatch::on_timeout(uv_timer_t* timer) {
  static_cast<LoopWatch*>(timer->data)->tell(What::timed_out);
}

void LoopWatch::tell(What what) {
  if (!receiver_) return;
  const Napi::HandleScope handles(env_);
  // A worker thread that is terminated ends its environment in a moment.
  if (!can_run_js(env_)) return stop();
  const Napi::CallbackScope callbacks(env_, context_);
  // A copy: the receiver may stop this.
  const Receiver receiver = receiver_;
  receiver(env_, what);
}

}  // namespace tdctl
