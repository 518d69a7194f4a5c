// An fd that the event loop of an environment watches: no thread waits for it. For the JS thread.
#pragma once

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace tdctl {

class LoopWatch {
 public:
  enum class What : std::uint8_t { ready, failed, timed_out };
  // Called while JS can run. It may stop the watch.
  using Receiver = std::function<void(Napi::Env, What)>;

  // Null where the loop cannot watch the fd, which must stay open until stop(), and becomes non-blocking.
  // `events` are UV_READABLE and UV_WRITABLE. Until stop() it holds the process.
  static std::shared_ptr<LoopWatch> start(Napi::Env env, int fd, int events, Receiver receiver,
                                          std::optional<std::uint64_t> timeout_ms = {});
  void want(int events);
  // May be called again. The environment calls it at its end.
  void stop();

  explicit LoopWatch(Napi::Env env) : env_(env), context_(env, "tdctl") {}

 private:
  static void on_poll(uv_poll_t* poll, int status, int events);
  static void on_timeout(uv_timer_t* timer);
  static void on_closed(uv_handle_t* handle);
  void tell(What what);

  const Napi::Env env_;
  Napi::AsyncContext context_;
  Receiver receiver_;
  uv_poll_t poll_{};
  uv_timer_t timer_{};
  // Those of the two that libuv has yet to let go.
  unsigned open_ = 0;
  bool is_stopped_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  // While libuv has it.
  std::shared_ptr<LoopWatch> self_;
};

}  // namespace tdctl
