// Closes fds and unmaps memory off the main thread: the last close of a TD takes as long as the
// module needs to flush caches and give back every page.
#pragma once

#include <napi.h>

#include <memory>

#include "unique_fd.h"

namespace tdctl {

// What goes away: the fd first, then the memory.
struct Closing {
  // What the kernel object behind the fd still points into.
  std::shared_ptr<void> memory;
  UniqueFd fd;
};

// A promise that outlives the call which made it, and that several objects may share.
using KeptPromise = std::shared_ptr<Napi::ObjectReference>;
KeptPromise keep(Napi::Promise promise);

class Closer {
 public:
  // The promise settles when it is closed. Closes asked for before the worker thread gets to them
  // go in one trip and share one promise: 256 vCPUs are not 256 trips.
  KeptPromise close(Napi::Env env, Closing closing);

 private:
  class Batch;
  class CloseTask;
  std::shared_ptr<Batch> filling_;
};

}  // namespace tdctl
