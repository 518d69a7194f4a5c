#include "exchange.h"

#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "util/arguments.h"
#include "util/bytes_js.h"
#include "util/js_error.h"
#include "util/loop_watch.h"
#include "util/task.h"
#include "util/unique_fd.h"

namespace tdctl {

namespace {

constexpr std::uint32_t most_answer_bytes = 1u << 30;
constexpr std::uint32_t most_deadline_ms = 24 * 60 * 60 * 1000;
constexpr std::size_t prefix_bytes = 4;

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
  // As it is shown.
  std::string name;
};

enum class Framing : std::uint8_t {
  // Each side says how long its message is: 4 bytes, big-endian.
  length,
  // A message ends where its side closes.
  end,
};

Address read_address(Arguments& arguments, Napi::Value value) {
  Address address;
  if (!arguments.object(value, "address")) return address;
  const Napi::Value unix_path = arguments.field(value, "unix");
  if (!unix_path.IsUndefined()) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    address.name = arguments.string(unix_path, "unix");
    if (address.name.empty() || address.name.size() >= sizeof un.sun_path) {
      arguments.range_mistake("`unix` must have 1 to " + std::to_string(sizeof un.sun_path - 1) +
                              " bytes");
      return address;
    }
    std::memcpy(un.sun_path, address.name.data(), address.name.size());
    std::memcpy(&address.bytes, &un, sizeof un);
    address.length = sizeof un;
    return address;
  }
  const Napi::Value vsock = arguments.field(value, "vsock");
  sockaddr_vm vm{};
  vm.svm_family = AF_VSOCK;
  if (!arguments.object(vsock, "vsock")) return address;
  vm.svm_cid = arguments.uint32(arguments.field(vsock, "cid"), "cid");
  vm.svm_port = arguments.uint32(arguments.field(vsock, "port"), "port");
  address.name = "vsock " + std::to_string(vm.svm_cid) + ":" + std::to_string(vm.svm_port);
  std::memcpy(&address.bytes, &vm, sizeof vm);
  address.length = sizeof vm;
  return address;
}

Framing read_framing(Arguments& arguments, Napi::Value value) {
  const std::string name = arguments.string(value, "framing");
  if (name == "length") return Framing::length;
  if (name != "end") arguments.range_mistake("`framing` must be 'length' or 'end'");
  return Framing::end;
}

// It lives until it is settled, by the watch and by the listener of the signal.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Napi::Env env, Address address, Bytes request, std::size_t most_bytes, Framing framing)
      : address_(std::move(address)),
        request_(std::move(request)),
        most_bytes_(most_bytes),
        framing_(framing),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  Napi::Value begin(Napi::Env env, std::uint32_t deadline_ms, Napi::Value signal);

 private:
  // False: it waits for the peer, or it is settled.
  bool send(Napi::Env env);
  void receive(Napi::Env env);
  void take(Napi::Env env, std::span<const std::byte> bytes);
  void serve(Napi::Env env, LoopWatch::What what);
  void listen(Napi::Env env, Napi::Object signal);
  void fail(Napi::Env env, const Failure& failure);
  void fail_call(Napi::Env env, const char* syscall, int error_number) {
    fail(env, {.syscall = syscall, .subject = address_.name, .error_number = error_number});
  }
  void resolve(Napi::Env env, std::span<const std::byte> answer);
  void end();

  const Address address_;
  const Bytes request_;
  const std::size_t most_bytes_;
  const Framing framing_;
  const Napi::Promise::Deferred deferred_;
  UniqueFd socket_;
  std::shared_ptr<LoopWatch> watch_;
  bool is_connected_ = false;
  std::size_t sent_ = 0;
  Bytes received_;
  bool is_settled_ = false;
  Napi::ObjectReference signal_;
  Napi::FunctionReference listener_;
};

Napi::Value Exchange::begin(Napi::Env env, std::uint32_t deadline_ms, Napi::Value signal) {
  const Napi::Value promise = deferred_.Promise();
  socket_ = UniqueFd(
      ::socket(address_.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.is_open()) {
    fail_call(env, "socket", errno);
    return promise;
  }
  const auto* target = reinterpret_cast<const sockaddr*>(&address_.bytes);
  is_connected_ = ::connect(socket_.get(), target, address_.length) == 0;
  if (!is_connected_ && errno != EINPROGRESS) {
    fail_call(env, "connect", errno);
    return promise;
  }
  watch_ = LoopWatch::start(
      env, socket_.get(), UV_WRITABLE,
      [self = shared_from_this()](Napi::Env env, LoopWatch::What what) { self->serve(env, what); },
      deadline_ms);
  if (!watch_) {
    fail_call(env, "epoll_ctl", ENOMEM);
  } else if (signal.IsObject()) {
    listen(env, signal.As<Napi::Object>());
  }
  return promise;
}

void Exchange::listen(Napi::Env env, Napi::Object signal) {
  const auto abort = [self = std::weak_ptr(shared_from_this())](const Napi::CallbackInfo& info) {
    if (const auto exchange = self.lock()) {
      exchange->fail(info.Env(), refused(ECANCELED, "the exchange was aborted"));
    }
  };
  listener_ = Napi::Persistent(Napi::Function::New(env, abort));
  signal_ = Napi::Persistent(signal);
  const Napi::Value add = signal.Get("addEventListener");
  if (add.IsFunction()) {
    add.As<Napi::Function>().Call(signal, {Napi::String::New(env, "abort"), listener_.Value()});
  }
  if (env.IsExceptionPending()) env.GetAndClearPendingException();
  if (signal.Get("aborted").ToBoolean()) {
    fail(env, refused(ECANCELED, "the exchange was aborted"));
  }
}

void Exchange::serve(Napi::Env env, LoopWatch::What what) {
  if (is_settled_) return;
  if (what == LoopWatch::What::timed_out) {
    return fail(env, refused(ETIMEDOUT, address_.name + " did not answer in time"));
  }
  if (!is_connected_) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return fail_call(env, "connect", error);
    is_connected_ = true;
  }
  if (send(env)) receive(env);
}

bool Exchange::send(Napi::Env env) {
  while (sent_ < request_.size()) {
    const ssize_t length = ::send(socket_.get(), request_.data() + sent_, request_.size() - sent_,
                                  MSG_NOSIGNAL);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) {
      if (errno != EAGAIN) fail_call(env, "send", errno);
      return false;
    }
    sent_ += static_cast<std::size_t>(length);
    if (sent_ < request_.size()) continue;
    if (framing_ == Framing::end) ::shutdown(socket_.get(), SHUT_WR);
    watch_->want(UV_READABLE);
  }
  return true;
}

void Exchange::receive(Napi::Env env) {
  std::array<std::byte, 16 * 1024> bytes;
  while (!is_settled_) {
    const ssize_t length = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) {
      if (errno != EAGAIN) fail_call(env, "recv", errno);
      return;
    }
    if (length > 0) {
      take(env, std::span(bytes).first(static_cast<std::size_t>(length)));
    } else if (framing_ == Framing::end) {
      resolve(env, received_);
    } else {
      fail(env, refused(ECONNRESET, address_.name + " closed in the middle of its answer"));
    }
  }
}

void Exchange::take(Napi::Env env, std::span<const std::byte> bytes) {
  const bool has_prefix = framing_ == Framing::length;
  // No more is kept than may be: a peer that floods is told apart at once.
  const std::size_t room = most_bytes_ + (has_prefix ? prefix_bytes : 0) - received_.size();
  const std::span<const std::byte> kept = bytes.first(std::min(bytes.size(), room));
  received_.insert(received_.end(), kept.begin(), kept.end());
  const std::string too_long =
      address_.name + " answers with more than " + std::to_string(most_bytes_) + " bytes";
  if (!has_prefix) {
    if (kept.size() < bytes.size()) fail(env, refused(EMSGSIZE, too_long));
    return;
  }
  if (received_.size() < prefix_bytes) return;
  std::size_t announced = 0;
  for (std::size_t at = 0; at < prefix_bytes; ++at) {
    announced = announced << 8 | std::to_integer<std::size_t>(received_[at]);
  }
  if (announced > most_bytes_) return fail(env, refused(EMSGSIZE, too_long));
  const std::span<const std::byte> answer = std::span(received_).subspan(prefix_bytes);
  if (answer.size() >= announced) resolve(env, answer.first(announced));
}

void Exchange::fail(Napi::Env env, const Failure& failure) {
  if (is_settled_) return;
  end();
  deferred_.Reject(js_error(env, failure).Value());
}

void Exchange::resolve(Napi::Env env, std::span<const std::byte> answer) {
  const Napi::Value bytes = bytes_to_js(env, answer);
  end();
  if (bytes.IsEmpty()) {
    deferred_.Reject(env.GetAndClearPendingException().Value());
  } else {
    deferred_.Resolve(bytes);
  }
}

void Exchange::end() {
  is_settled_ = true;
  if (watch_) watch_->stop();
  socket_.reset();
  if (signal_.IsEmpty()) return;
  const Napi::Object signal = signal_.Value();
  const Napi::Value remove = signal.Get("removeEventListener");
  if (remove.IsFunction()) {
    remove.As<Napi::Function>().Call(
        signal, {Napi::String::New(signal.Env(), "abort"), listener_.Value()});
  }
  if (signal.Env().IsExceptionPending()) signal.Env().GetAndClearPendingException();
  signal_.Reset();
  listener_.Reset();
}

}  // namespace

Napi::Value exchange(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, nullptr);
  arguments.object(info[0], "options");
  const auto field = [&](const char* name) { return arguments.field(info[0], name); };
  Address address = read_address(arguments, field("address"));
  const std::span<const std::byte> message = arguments.view(field("request"), "request");
  const std::uint32_t most_bytes =
      arguments.uint32(field("maxBytes"), "maxBytes", 1, most_answer_bytes);
  const std::uint32_t deadline_ms =
      arguments.uint32(field("deadlineMs"), "deadlineMs", 1, most_deadline_ms);
  const Framing framing = read_framing(arguments, field("framing"));
  const Napi::Value signal = field("signal");
  if (!signal.IsUndefined()) arguments.object(signal, "signal");
  if (message.empty() || message.size() > most_answer_bytes) {
    arguments.range_mistake("`request` must have 1 to " + std::to_string(most_answer_bytes) +
                            " bytes");
  }
  if (arguments.is_wrong()) return rejected(env, arguments.mistake());
  Bytes request;
  if (framing == Framing::length) {
    for (std::size_t at = prefix_bytes; at-- > 0;) {
      request.push_back(static_cast<std::byte>(message.size() >> 8 * at));
    }
  }
  request.insert(request.end(), message.begin(), message.end());
  return std::make_shared<Exchange>(env, std::move(address), std::move(request), most_bytes,
                                    framing)
      ->begin(env, deadline_ms, signal);
}

}  // namespace tdctl
