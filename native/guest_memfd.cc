#include "guest_memfd.h"

namespace tdctl {

Napi::Function GuestMemfd::define(Napi::Env env) {
  return DefineClass(env, name,
                     {
                         fd_property(),
                         InstanceAccessor<&GuestMemfd::get_size_bytes>("sizeBytes"),
                         close_method(),
                     });
}

GuestMemfd::GuestMemfd(const Napi::CallbackInfo& info) : FdObject(info) {
  if (auto state = begin_construction<GuestMemfd>(info)) {
    take_handle(std::move(state->handle));
    size_bytes_ = state->size_bytes;
  }
}

Napi::Value GuestMemfd::get_size_bytes(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), size_bytes_);
}

}  // namespace tdctl
