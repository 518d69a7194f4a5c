// What every JS object with an fd has: `fd`, `close()`, and calls off the main thread.
#pragma once

#include <napi.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "arguments.h"
#include "bytes_js.h"
#include "environment.h"
#include "fd_handle.h"
#include "task.h"
#include "wrapped.h"

namespace tdctl {

// `Class` has a `State` that begins with the handle; see wrapped.h for the rest.
template <typename Class>
class FdObject : public Napi::ObjectWrap<Class> {
 public:
  using PropertyDescriptor = Napi::ClassPropertyDescriptor<Class>;

  explicit FdObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Class>(info), leaked_fds_(Environment::of(info.Env()).leaked_fds) {}

  // A finalizer: nothing in JS refers to the object any more.
  ~FdObject() override {
    if (handle_ && handle_->abandon()) ++*leaked_fds_;
  }

  const std::shared_ptr<FdHandle>& handle() const { return handle_; }

 protected:
  // Not the template forms: a pointer to a member of this base is no template argument there.
  static PropertyDescriptor fd_property() {
    using Getter = typename Class::InstanceGetterCallback;
    return Class::InstanceAccessor("fd", static_cast<Getter>(&Class::get_fd), nullptr);
  }
  static PropertyDescriptor close_method() {
    using Method = typename Class::InstanceMethodCallback;
    return Class::InstanceMethod("close", static_cast<Method>(&Class::close));
  }

  void take_handle(std::shared_ptr<FdHandle> handle) { handle_ = std::move(handle); }

  Napi::Value get_fd(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), handle_->is_closed() ? -1 : handle_->fd());
  }

  // The promise of the first close is that of every close.
  Napi::Value close(const Napi::CallbackInfo& info) {
    if (!closed_) closed_ = handle_->close(info.Env());
    return closed_->Value();
  }

  // One call: `work`, (const Kernel&, int fd) -> Result<T>, on a worker thread, then `to_js`,
  // (Napi::Env, T) -> Napi::Value. Rejects where the arguments are wrong or the object is closed.
  template <typename Work, typename ToJs>
  Napi::Value call(Arguments& arguments, Work work, ToJs to_js) {
    const Napi::Env env = arguments.env();
    if (handle_->is_closed()) arguments.closed_mistake(std::string("the ") + handle_->noun());
    if (handle_->hold() == FdHandle::Hold::running) {
      arguments.busy_mistake("the vCPU runs: pause its guest first");
    }
    if (arguments.is_wrong()) return rejected(env, arguments.mistake());
    return run_off_thread(
        env,
        [use = FdUse(handle_, this->Value()), kernel = Environment::of(env).kernel,
         work = std::move(work)]() mutable { return work(kernel, use.fd()); },
        std::move(to_js));
  }

  // The plain calls: a request with a value, a request with a struct, a TDX command without data.
  Napi::Value ask_number(Arguments& arguments, const uapi::Request& request,
                         unsigned long value = 0) {
    const auto to_number = [](Napi::Env env, int number) -> Napi::Value {
      return Napi::Number::New(env, number);
    };
    return call(
        arguments,
        [&request, value](const Kernel& kernel, int fd) {
          return kernel.ioctl(fd, request, value);
        },
        to_number);
  }

  Napi::Value tell(Arguments& arguments, const uapi::Request& request, unsigned long value = 0) {
    return call(
        arguments,
        [&request, value](const Kernel& kernel, int fd) {
          return as_done(kernel.ioctl(fd, request, value));
        },
        to_undefined);
  }

  template <typename Struct>
  Napi::Value tell_struct(Arguments& arguments, const uapi::Request& request, Struct argument) {
    return call(
        arguments,
        [&request, argument](const Kernel& kernel, int fd) mutable {
          return as_done(kernel.ioctl(fd, request, &argument));
        },
        to_undefined);
  }

  // A whole method: a struct that JS has as its bytes, got or set.
  Napi::Value get_struct_bytes(const Napi::CallbackInfo& info, const uapi::Request& request) {
    Arguments arguments(info, request.name);
    return ask_bytes(arguments, request, Bytes(uapi::argument_bytes(request)));
  }

  Napi::Value set_struct_bytes(const Napi::CallbackInfo& info, const uapi::Request& request) {
    Arguments arguments(info, request.name);
    Bytes bytes(uapi::argument_bytes(request));
    arguments.bytes(info[0], "bytes", bytes);
    return tell_bytes(arguments, request, std::move(bytes));
  }

  // A request about a struct that is only its bytes: filled in by the kernel, or handed to it.
  Napi::Value ask_bytes(Arguments& arguments, const uapi::Request& request, Bytes bytes) {
    return call(
        arguments,
        [&request, bytes = std::move(bytes)](const Kernel& kernel,
                                             int fd) mutable -> Result<Bytes> {
          Result<int> answer = kernel.ioctl(fd, request, bytes.data());
          if (!answer.ok()) return std::move(answer.failure());
          return std::move(bytes);
        },
        bytes_to_js);
  }

  Napi::Value tell_bytes(Arguments& arguments, const uapi::Request& request, Bytes bytes) {
    return call(
        arguments,
        [&request, bytes = std::move(bytes)](const Kernel& kernel, int fd) mutable {
          return as_done(kernel.ioctl(fd, request, bytes.data()));
        },
        to_undefined);
  }

  Napi::Value tell_tdx(Arguments& arguments, const uapi::TdxCommand& command,
                       std::uint64_t data = 0) {
    return call(
        arguments,
        [&command, data](const Kernel& kernel, int fd) {
          return as_done(kernel.tdx(fd, command, 0, data));
        },
        to_undefined);
  }

  static Napi::Value to_undefined(Napi::Env env, Done) { return env.Undefined(); }

 private:
  std::shared_ptr<FdHandle> handle_;
  std::shared_ptr<std::uint32_t> leaked_fds_;
  KeptPromise closed_;
};

}  // namespace tdctl
