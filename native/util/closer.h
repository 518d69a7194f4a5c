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

class Closer {
 public:
  // Settles `deferred` when it is closed. Closes asked for before the worker thread gets to them
  // go in one trip: 256 vCPUs are not 256 trips.
  void close(Napi::Env env, Closing closing, Napi::Promise::Deferred deferred);

 private:
  class Batch;
  class CloseTask;
  std::shared_ptr<Batch> filling_;
};

}  // namespace tdctl
