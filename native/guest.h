// The JS object of a guest: vCPUs that run on threads of the addon, and few devices. guest.ts documents the
// methods.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guest_channel.h"
#include "util/environment.h"
#include "util/fd_handle.h"
#include "util/wrapped.h"
#include "vcpu_exits.h"
#include "vcpu_state.h"

namespace tdctl {

// What JS answers a guest with.
struct GuestHandlers {
  Napi::FunctionReference console;
  Napi::FunctionReference debug_console;
  Napi::FunctionReference exit;
  Napi::FunctionReference ended;
  Napi::FunctionReference failed;
};

// What the refusals of a guest say.
inline constexpr const char* guest_is_stopped = "the guest is stopped";
inline constexpr const char* guest_runs = "the guest runs: pause it first";

// What a guest is made of. Made and destroyed on the JS thread; the members go from the last to the first:
// the threads, then what they wake, then the fds.
struct GuestParts {
  GuestParts() = default;
  GuestParts(const GuestParts&) = delete;
  GuestParts& operator=(const GuestParts&) = delete;
  ~GuestParts();
  // Ends the threads and lets the fds go.
  void release();

  std::vector<std::shared_ptr<FdHandle>> handles;
  std::vector<FdUse> uses;
  std::optional<VcpuStateShape> state_shape;
  GuestHandlers handlers;
  std::shared_ptr<GuestChannel> channel;
  std::unique_ptr<GuestVcpus> vcpus;
};

class Guest : public Napi::ObjectWrap<Guest> {
 public:
  using State = std::unique_ptr<GuestParts>;
  static constexpr const char* name = "Guest";
  static constexpr const char* made_by = "Guest.make()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10006};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.guest;
  }
  static Napi::Function define(Napi::Env env);

  explicit Guest(const Napi::CallbackInfo& info);
  ~Guest() override;

 private:
  // guest_make.cc
  static Napi::Value make(const Napi::CallbackInfo& info);
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value pause(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value input(const Napi::CallbackInfo& info);
  Napi::Value counts(const Napi::CallbackInfo& info);
  // guest_entry.cc
  Napi::Value entered(const Napi::CallbackInfo& info);
  Napi::Value times(const Napi::CallbackInfo& info);
  void settle_entries(Napi::Env env);
  void reject_entries(Napi::Env env, const std::string& sentence);
  // guest_rest.cc
  // Whether the vCPUs come there within the milliseconds that JS says.
  using Wait = bool (GuestVcpus::*)(std::uint32_t);
  Napi::Value awaited(const Napi::CallbackInfo& info, Wait wait);
  Napi::Value await_parked(const Napi::CallbackInfo& info);
  Napi::Value await_called(const Napi::CallbackInfo& info);
  Napi::Value tell_now(const Napi::CallbackInfo& info);
  Napi::Value prepare_packed(const Napi::CallbackInfo& info);
  Napi::Value get_packed(const Napi::CallbackInfo& info);
  Napi::Value set_packed(const Napi::CallbackInfo& info);
  // guest_devices.cc
  Napi::Value get_devices(const Napi::CallbackInfo& info);
  Napi::Value set_devices(const Napi::CallbackInfo& info);

  // What has come up, by a wake.
  void serve(Napi::Env env);
  void hand_over(Napi::Env env, std::uint32_t vcpu);
  void answer(Napi::Env env, std::uint32_t vcpu, Napi::Value value);
  // Calls a handler; false, and told, where it threw.
  bool tell(Napi::Env env, const Napi::FunctionReference& handler,
            const std::initializer_list<napi_value>& values, Napi::Value* result = nullptr);
  void tell_console(Napi::Env env, const Napi::FunctionReference& handler,
                    const ConsoleBuffer::Taken& taken);
  void report(Napi::Env env, Napi::Value thrown);
  void all_parked(Napi::Env env);
  void reject_pauses(Napi::Env env, const std::string& sentence);
  void set_running(Napi::Env env, bool running);
  // False, and thrown, where it is not.
  bool expect_parked(Napi::Env env);

  std::unique_ptr<GuestParts> parts_;
  // Points here, or nowhere once this is gone: for what a promise calls at its end.
  std::shared_ptr<Guest*> self_;
  std::vector<Napi::Promise::Deferred> pauses_;
  std::vector<Napi::Promise::Deferred> entries_;
  // Of each vCPU by the last run().
  std::vector<std::uint64_t> calls_made_;
  bool running_ = false;
  bool stopped_ = false;
  std::uint64_t handler_errors_ = 0;
  std::uint64_t lost_console_bytes_ = 0;
};

}  // namespace tdctl
