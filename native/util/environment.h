// All the addon remembers between calls, one per environment (main thread or worker thread).
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "closer.h"
#include "kernel.h"

namespace tdctl {

struct Environment {
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  Kernel kernel;
  Closer closer;
  // Fds that a finalizer had to close. Shared: finalizers may outlive this struct at exit.
  std::shared_ptr<std::uint32_t> leaked_fds = std::make_shared<std::uint32_t>(0);

  Napi::FunctionReference system;
  Napi::FunctionReference vm;
  Napi::FunctionReference vcpu;
  Napi::FunctionReference guest_memfd;
  Napi::FunctionReference user_memory;
  Napi::FunctionReference supervisor;
  Napi::FunctionReference held_command;
  Napi::FunctionReference guest;
  Napi::FunctionReference pidfd;
  Napi::FunctionReference passed_fd;
  Napi::FunctionReference fd_channel;

  // What the constructor now running takes over; null when JS called `new` itself.
  void* construction = nullptr;
};

}  // namespace tdctl
