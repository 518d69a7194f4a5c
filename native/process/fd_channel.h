#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "../util/fd_object.h"
#include "../util/loop_watch.h"

namespace tdctl {

// A connected UNIX socket over which fds go.
class FdChannel : public FdObject<FdChannel> {
 public:
  struct State {
    std::shared_ptr<FdHandle> handle;
  };
  static constexpr const char* name = "FdChannel";
  static constexpr const char* made_by = "FdChannel.of()";
  static constexpr napi_type_tag tag = {0x7464c7164, 0x10009};
  static Napi::FunctionReference& constructor(Environment& environment) {
    return environment.fd_channel;
  }
  static Napi::Function define(Napi::Env env);

  explicit FdChannel(const Napi::CallbackInfo& info);
  ~FdChannel() override;

 private:
  friend FdObject;

  struct Sending {
    Napi::Promise::Deferred deferred;
    Bytes bytes;
    std::size_t sent = 0;
    // Kept open until they are on their way.
    std::vector<SentFd> fds;
  };
  struct Receiving {
    Napi::Promise::Deferred deferred;
    std::uint32_t most_bytes = 0;
    std::uint32_t most_fds = 0;
  };

  static Napi::Value of(const Napi::CallbackInfo& info);
  static Napi::Value pair(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value close_watched(const Napi::CallbackInfo& info);
  // fd_channel_now.cc
  Napi::Value send_now(const Napi::CallbackInfo& info);
  Napi::Value receive_now(const Napi::CallbackInfo& info);

  // Goes on with what is under way, and has the loop watch for what is left of it.
  void go_on(Napi::Env env);
  void try_to_send(Napi::Env env);
  void try_to_receive(Napi::Env env);

  std::optional<Sending> sending_;
  std::optional<Receiving> receiving_;
  // What has come so far of a message that receive_now() waits for.
  Bytes come_;
  std::shared_ptr<LoopWatch> watch_;
};

}  // namespace tdctl
