#include "fd_handle.h"

#include <utility>

#include "environment.h"
#include "task.h"

namespace tdctl {

FdHandle::FdHandle(UniqueFd fd, const char* noun, std::shared_ptr<MemorySlots> slots)
    : slots_(std::move(slots)), fd_(std::move(fd)), noun_(noun) {}

KeptPromise FdHandle::close(Napi::Env env) {
  closed_ = true;
  if (calls_in_flight_ == 0) return close_now(env);
  closing_ = Napi::Promise::Deferred::New(env);
  return keep(closing_->Promise());
}

KeptPromise FdHandle::close_now(Napi::Env env) {
  return Environment::of(env).closer.close(
      env, Closing{.memory = std::move(slots_), .fd = std::move(fd_)});
}

int FdHandle::release() {
  closed_ = true;
  return fd_.release();
}

bool FdHandle::abandon() {
  if (closed_) return false;
  closed_ = true;
  // With a call in flight (only while the environment is torn down) the destructor closes it.
  if (calls_in_flight_ == 0) fd_.reset();
  return true;
}

void FdHandle::end_call(Napi::Env env) {
  --calls_in_flight_;
  if (calls_in_flight_ > 0 || !closing_) return;
  // Without JS nobody waits for the promise, and none can be made; the destructor closes the fd.
  if (!can_run_js(env)) return;
  const KeptPromise closed = close_now(env);
  std::exchange(closing_, std::nullopt)->Resolve(closed->Value());
}

FdUse::FdUse(std::shared_ptr<FdHandle> handle, Napi::Object owner)
    : handle_(std::move(handle)), fd_(handle_->fd()), owner_(Napi::Persistent(owner)) {
  ++handle_->calls_in_flight_;
  ++handle_->calls_made_;
}

FdUse::~FdUse() {
  if (handle_) handle_->end_call(owner_.Env());
}

}  // namespace tdctl
