#include "guest_memfd.h"

#include <fcntl.h>

#include <optional>
#include <utility>

#include "uapi/kvm.h"
#include "util/arguments.h"
#include "util/js_error.h"

namespace tdctl {

namespace request = uapi::request;

Napi::Function GuestMemfd::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         StaticMethod<&GuestMemfd::of_fd>("ofFd"),
                         fd_property(),
                         InstanceAccessor<&GuestMemfd::get_size_bytes>("sizeBytes"),
                         InstanceMethod<&GuestMemfd::kvm_set_memory_attributes2>(
                             "kvmSetMemoryAttributes2"),
                         InstanceMethod<&GuestMemfd::punch_hole>("punchHole"),
                         close_method(),
                     });
}

GuestMemfd::GuestMemfd(const Napi::CallbackInfo& info) : FdObject(info) {
  if (auto state = begin_construction<GuestMemfd>(info)) {
    take_handle(std::move(state->handle));
    size_bytes_ = state->size_bytes;
  }
}

// The slots are those of the VM that it belongs to, which is another process's: no memory of this one is in them.
Napi::Value GuestMemfd::of_fd(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const std::optional<FdUse> passed = arguments.passed_fd(info[0], "fd");
  const std::uint64_t size_bytes = arguments.uint64(info[1], "sizeBytes");
  if (arguments.is_wrong()) {
    arguments.mistake().ThrowAsJavaScriptException();
    return {};
  }
  UniqueFd own(::fcntl(passed->fd(), F_DUPFD_CLOEXEC, 0));
  if (!own.is_open()) {
    js_error(info.Env(), refused(errno, "the fd could not be had once more"))
        .ThrowAsJavaScriptException();
    return {};
  }
  return make<GuestMemfd>(
      info.Env(),
      {std::make_shared<FdHandle>(std::move(own), "guest_memfd", nullptr), size_bytes});
}

Napi::Value GuestMemfd::get_size_bytes(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), size_bytes_);
}

Napi::Value GuestMemfd::punch_hole(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  const PageRange pages = arguments.pages(info[0], info[1]);
  return call(
      arguments,
      [pages](const Kernel&, int fd) { return tdctl::punch_hole(fd, pages.offset, pages.length); },
      to_undefined);
}

Napi::Value GuestMemfd::kvm_set_memory_attributes2(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_memory_attributes2.name);
  arguments.object(info[0], "range");
  uapi::kvm_memory_attributes2 argument{};
  argument.offset = arguments.uint64(arguments.field(info[0], "offsetBytes"), "offsetBytes");
  argument.size = arguments.uint64(arguments.field(info[0], "sizeBytes"), "sizeBytes");
  argument.attributes = arguments.uint64(arguments.field(info[0], "attributes"), "attributes");
  return tell_struct(arguments, request::kvm_set_memory_attributes2, argument);
}

}  // namespace tdctl
