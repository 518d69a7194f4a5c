#include "fd_channel.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "../util/fd_message.h"
#include "../util/js_error.h"
#include "passed_fd.h"

namespace tdctl {

namespace {

constexpr std::uint32_t most_message_bytes = 16 << 20;
constexpr std::uint32_t highest_fd = 0x7fff'ffff;

Napi::Error failed(Napi::Env env, const char* syscall, const char* subject) {
  return js_error(env, {.syscall = syscall, .subject = subject, .error_number = errno});
}

Napi::Value make_channel(Napi::Env env, UniqueFd fd) {
  return make<FdChannel>(env, {std::make_shared<FdHandle>(std::move(fd), "channel", nullptr)});
}

// Empty, with an exception pending, where JS has no room; the fds are closed then.
Napi::Value to_js(Napi::Env env, std::span<const std::byte> bytes, std::vector<UniqueFd> fds) {
  Napi::Object message = Napi::Object::New(env);
  const Napi::Value array = bytes_to_js(env, bytes);
  if (array.IsEmpty()) return {};
  message.Set("bytes", array);
  Napi::Array passed = Napi::Array::New(env, fds.size());
  for (std::uint32_t at = 0; at < fds.size(); ++at) {
    const Napi::Value fd = make<PassedFd>(
        env, {std::make_shared<FdHandle>(std::move(fds[at]), "fd that was passed", nullptr)});
    if (fd.IsEmpty()) return {};
    passed.Set(at, fd);
  }
  message.Set("fds", passed);
  return message;
}

}  // namespace

Napi::Function FdChannel::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         StaticMethod<&FdChannel::of>("of"),
                         StaticMethod<&FdChannel::pair>("pair"),
                         fd_property(),
                         InstanceMethod<&FdChannel::send>("send"),
                         InstanceMethod<&FdChannel::receive>("receive"),
                         InstanceMethod<&FdChannel::send_now>("sendNow"),
                         InstanceMethod<&FdChannel::receive_now>("receiveNow"),
                         InstanceMethod<&FdChannel::close_watched>("close"),
                     });
}

FdChannel::FdChannel(const Napi::CallbackInfo& info) : FdObject(info) {
  if (auto state = begin_construction<FdChannel>(info)) take_handle(std::move(state->handle));
}

// While something is under way, only the end of the environment comes here.
FdChannel::~FdChannel() {
  if (watch_) watch_->stop();
}

Napi::Value FdChannel::of(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  const int socket = static_cast<int>(arguments.uint32(info[0], "fd", 0, highest_fd));
  if (arguments.is_wrong()) return thrown(arguments.mistake());
  int domain = 0;
  socklen_t length = sizeof domain;
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0) {
    return thrown(failed(env, "getsockopt", "SO_DOMAIN"));
  }
  if (domain != AF_UNIX) {
    return thrown(js_error(env, refused(EAFNOSUPPORT, "the fd is of no UNIX socket")));
  }
  UniqueFd own(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!own.is_open()) return thrown(failed(env, "fcntl", "F_DUPFD_CLOEXEC"));
  return make_channel(env, std::move(own));
}

Napi::Value FdChannel::pair(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return thrown(failed(env, "socketpair", "AF_UNIX"));
  }
  UniqueFd first(ends[0]);
  UniqueFd second(ends[1]);
  Napi::Array both = Napi::Array::New(env, 2);
  both.Set(0u, make_channel(env, std::move(first)));
  both.Set(1u, make_channel(env, std::move(second)));
  return both;
}

Napi::Value FdChannel::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  const std::span<const std::byte> bytes = arguments.view(info[0], "bytes");
  if (bytes.empty() || bytes.size() > most_message_bytes) {
    arguments.range_mistake("`bytes` must have 1 to " + std::to_string(most_message_bytes) +
                            " bytes");
  }
  std::vector<SentFd> fds;
  if (!info[1].IsUndefined()) {
    const auto elements = arguments.array(info[1], "fds", most_fds_of_message);
    for (std::uint32_t at = 0; elements && at < elements->Length() && !arguments.is_wrong(); ++at) {
      const std::string at_name = std::to_string(at);
      auto fd = arguments.fd_to_send(arguments.field(*elements, at_name.c_str()),
                                     "fds[" + at_name + "]");
      if (fd) fds.push_back(std::move(*fd));
    }
  }
  if (handle()->is_closed()) arguments.closed_mistake("the channel");
  if (sending_) arguments.busy_mistake("the channel sends already");
  if (arguments.is_wrong()) return rejected(env, arguments.mistake());
  const auto deferred = Napi::Promise::Deferred::New(env);
  sending_.emplace(Sending{.deferred = deferred,
                           .bytes = {bytes.begin(), bytes.end()},
                           .sent = 0,
                           .fds = std::move(fds)});
  go_on(env);
  return deferred.Promise();
}

Napi::Value FdChannel::receive(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  arguments.object(info[0], "room");
  const auto number = [&](const char* name, std::uint32_t least, std::uint32_t most) {
    return arguments.uint32(arguments.field(info[0], name), name, least, most);
  };
  const std::uint32_t bytes = number("maxBytes", 1, most_message_bytes);
  const std::uint32_t fds = number("maxFds", 0, most_fds_of_message);
  if (handle()->is_closed()) arguments.closed_mistake("the channel");
  if (receiving_) arguments.busy_mistake("the channel receives already");
  if (arguments.is_wrong()) return rejected(env, arguments.mistake());
  const auto deferred = Napi::Promise::Deferred::New(env);
  receiving_.emplace(Receiving{.deferred = deferred, .most_bytes = bytes, .most_fds = fds});
  go_on(env);
  return deferred.Promise();
}

void FdChannel::go_on(Napi::Env env) {
  try_to_send(env);
  try_to_receive(env);
  const int wanted = (sending_ ? UV_WRITABLE : 0) | (receiving_ ? UV_READABLE : 0);
  if (wanted == 0) {
    if (!watch_) return;
    std::exchange(watch_, nullptr)->stop();
    // Last: it may be what has held this.
    Unref();
  } else if (watch_) {
    watch_->want(wanted);
  } else {
    watch_ = LoopWatch::start(env, handle()->fd(), wanted,
                              [this](Napi::Env env, LoopWatch::What) { go_on(env); });
    if (watch_) {
      Ref();
      return;
    }
    const Napi::Value error =
        js_error(env, {.syscall = "epoll_ctl", .subject = "of a channel", .error_number = EPERM})
            .Value();
    if (sending_) std::exchange(sending_, std::nullopt)->deferred.Reject(error);
    if (receiving_) std::exchange(receiving_, std::nullopt)->deferred.Reject(error);
  }
}

void FdChannel::try_to_send(Napi::Env env) {
  while (sending_) {
    std::vector<int> numbers;
    for (const SentFd& fd : sending_->fds) numbers.push_back(fd.number());
    const std::span<const std::byte> left = std::span(sending_->bytes).subspan(sending_->sent);
    const ssize_t length = send_with_fds(handle()->fd(), left, numbers, MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN) return;
    if (length < 0) {
      const Napi::Error error = failed(env, "sendmsg", "of a channel");
      return std::exchange(sending_, std::nullopt)->deferred.Reject(error.Value());
    }
    sending_->fds.clear();
    sending_->sent += static_cast<std::size_t>(length);
    if (sending_->sent < sending_->bytes.size()) continue;
    std::exchange(sending_, std::nullopt)->deferred.Resolve(env.Undefined());
  }
}

void FdChannel::try_to_receive(Napi::Env env) {
  if (!receiving_) return;
  Bytes bytes(receiving_->most_bytes);
  FdMessage message =
      receive_with_fds(handle()->fd(), bytes, receiving_->most_fds, MSG_DONTWAIT);
  if (message.length < 0 && errno == EAGAIN) return;
  const Napi::Promise::Deferred deferred = std::exchange(receiving_, std::nullopt)->deferred;
  if (message.length < 0) return deferred.Reject(failed(env, "recvmsg", "of a channel").Value());
  // Half of what was sent is of no use to anybody: those that came are closed here.
  if (message.is_truncated) {
    return deferred.Reject(
        js_error(env, refused(EMSGSIZE, "a message had more fds or bytes than there was room for"))
            .Value());
  }
  const Napi::Value value =
      to_js(env, std::span(bytes).first(static_cast<std::size_t>(message.length)),
            std::move(message.fds));
  if (value.IsEmpty()) return deferred.Reject(env.GetAndClearPendingException().Value());
  deferred.Resolve(value);
}

Napi::Value FdChannel::close_watched(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto reject = [&](const Napi::Promise::Deferred& deferred) {
    deferred.Reject(js_error(env, refused(EBADF, "the channel is closed")).Value());
  };
  if (sending_) reject(std::exchange(sending_, std::nullopt)->deferred);
  if (receiving_) reject(std::exchange(receiving_, std::nullopt)->deferred);
  go_on(env);
  return close(info);
}

}  // namespace tdctl
