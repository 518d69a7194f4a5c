#include "pidfd.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "../util/js_error.h"
#include "../util/task.h"

// Linux 6.5.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace tdctl {

namespace {

constexpr std::uint32_t highest_pid = 0x7fff'ffff;
constexpr std::uint32_t highest_signal = 64;

Failure failed(const char* syscall, const std::string& subject) {
  return {.syscall = syscall, .subject = subject, .error_number = errno};
}

Result<UniqueFd> fd_of(std::int64_t answer, const char* syscall, const std::string& subject) {
  if (answer < 0) return failed(syscall, subject);
  return UniqueFd(static_cast<int>(answer));
}

bool is_readable(int fd) {
  pollfd look = {.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&look, 1, 0) == 1;
}

}  // namespace

Napi::Function Pidfd::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         StaticMethod<&Pidfd::open>("open"),
                         StaticMethod<&Pidfd::of_peer>("ofPeer"),
                         fd_property(),
                         InstanceMethod<&Pidfd::ended>("ended"),
                         InstanceMethod<&Pidfd::signal>("signal"),
                         InstanceMethod<&Pidfd::close_watched>("close"),
                     });
}

Pidfd::Pidfd(const Napi::CallbackInfo& info) : FdObject(info) {
  if (auto state = begin_construction<Pidfd>(info)) take_handle(std::move(state->handle));
}

// While a watch is on, only the end of the environment comes here.
Pidfd::~Pidfd() {
  if (watch_) watch_->stop();
}

Napi::Value Pidfd::of(Napi::Env env, UniqueFd fd) {
  return make<Pidfd>(env, {std::make_shared<FdHandle>(std::move(fd), "pidfd", nullptr)});
}

// pidfd_open() makes its fd close-on-exec.
Napi::Value Pidfd::open(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t pid = arguments.uint32(info[0], "pid", 1, highest_pid);
  if (arguments.is_wrong()) return rejected(info.Env(), arguments.mistake());
  return run_off_thread(
      info.Env(),
      [pid] {
        return fd_of(::syscall(SYS_pidfd_open, pid, 0), "pidfd_open", std::to_string(pid));
      },
      of);
}

Napi::Value Pidfd::of_peer(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t socket = arguments.uint32(info[0], "fd", 0, highest_pid);
  if (arguments.is_wrong()) return rejected(info.Env(), arguments.mistake());
  int pidfd = -1;
  socklen_t length = sizeof pidfd;
  const int answer =
      ::getsockopt(static_cast<int>(socket), SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length);
  Result<UniqueFd> fd = fd_of(answer < 0 ? -1 : pidfd, "getsockopt", "SO_PEERPIDFD");
  if (!fd.ok()) return rejected(info.Env(), js_error(info.Env(), fd.failure()));
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  deferred.Resolve(of(info.Env(), std::move(fd.value())));
  return deferred.Promise();
}

// A pidfd is readable once its process has ended, reaped or not.
Napi::Value Pidfd::ended(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (promise_) return promise_->Value();
  if (handle()->is_closed()) return rejected(env, js_error(env, refused(EBADF, "the pidfd is closed")));
  const auto deferred = Napi::Promise::Deferred::New(env);
  if (is_readable(handle()->fd())) {
    deferred.Resolve(env.Undefined());
    return deferred.Promise();
  }
  watch_ = LoopWatch::start(env, handle()->fd(), UV_READABLE, [this](Napi::Env env, LoopWatch::What) {
    if (const auto ended = stop_watching()) ended->Resolve(env.Undefined());
  });
  if (!watch_) {
    errno = EPERM;
    return rejected(env, js_error(env, failed("epoll_ctl", "of a pidfd")));
  }
  ended_ = deferred;
  promise_ = keep(deferred.Promise());
  // Until it is told.
  Ref();
  return deferred.Promise();
}

std::optional<Napi::Promise::Deferred> Pidfd::stop_watching() {
  if (watch_) std::exchange(watch_, nullptr)->stop();
  if (ended_) Unref();
  return std::exchange(ended_, std::nullopt);
}

Napi::Value Pidfd::signal(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::uint32_t number = arguments.uint32(info[0], "signal", 0, highest_signal);
  return call(
      arguments,
      [number](const Kernel&, int fd) -> Result<Done> {
        if (::syscall(SYS_pidfd_send_signal, fd, number, nullptr, 0) != 0) {
          return failed("pidfd_send_signal", std::to_string(number));
        }
        return Done{};
      },
      to_undefined);
}

Napi::Value Pidfd::close_watched(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  // Before the fd is: the loop looks at it.
  if (const auto ended = stop_watching()) {
    ended->Reject(js_error(env, refused(EBADF, "the pidfd is closed")).Value());
  }
  return close(info);
}

}  // namespace tdctl
