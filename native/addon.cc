// The addon's exports. Runs once for each environment that loads it; see Addon in addon.ts.
#include <napi.h>

#include "exchange.h"
#include "guest.h"
#include "guest_state.h"
#include "guest_memfd.h"
#include "process/datagram.h"
#include "process/fd_channel.h"
#include "process/fd_questions.h"
#include "process/passed_fd.h"
#include "process/pidfd.h"
#include "supervisor/held_command.h"
#include "supervisor/supervisor.h"
#include "system.h"
#include "testing/exports.h"
#include "user_memory.h"
#include "util/environment.h"
#include "vcpu.h"
#include "vm.h"

namespace tdctl {

namespace {

Napi::Value leaked_fds(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), *Environment::of(info.Env()).leaked_fds);
}

template <typename Class>
void export_class(Napi::Env env, Napi::Object exports, Environment& environment) {
  const Napi::Function constructor = Class::define(env);
  Class::constructor(environment) = Napi::Persistent(constructor);
  exports.Set(Class::name, constructor);
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment();
  // Deleted with the environment.
  env.SetInstanceData(environment);
  export_class<System>(env, exports, *environment);
  export_class<Vm>(env, exports, *environment);
  export_class<Vcpu>(env, exports, *environment);
  export_class<GuestMemfd>(env, exports, *environment);
  export_class<Guest>(env, exports, *environment);
  export_class<UserMemory>(env, exports, *environment);
  export_class<supervisor::Supervisor>(env, exports, *environment);
  export_class<supervisor::HeldCommand>(env, exports, *environment);
  export_class<Pidfd>(env, exports, *environment);
  export_class<PassedFd>(env, exports, *environment);
  export_class<FdChannel>(env, exports, *environment);
  exports.Set("tryLock", Napi::Function::New<try_lock>(env, "tryLock"));
  exports.Set("lockHolder", Napi::Function::New<lock_holder>(env, "lockHolder"));
  exports.Set("peerCredentials", Napi::Function::New<peer_credentials>(env, "peerCredentials"));
  exports.Set("sendDatagram", Napi::Function::New<send_datagram>(env, "sendDatagram"));
  exports.Set("guestStateLayout", guest_state_layout);
  exports.Set("leakedFds", Napi::Function::New<leaked_fds>(env, "leakedFds"));
  exports.Set("exchange", Napi::Function::New<exchange>(env, "exchange"));
  exports.Set("testing", testing::exports(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(tdctl, initialize)

}  // namespace tdctl
