#include "fd_handle.h"

#include <utility>

#include "environment.h"

namespace tdctl {

FdHandle::FdHandle(UniqueFd fd, const char* noun, std::shared_ptr<MemorySlots> slots)
    : fd_(std::move(fd)), noun_(noun), slots_(std::move(slots)) {}

void FdHandle::close(Napi::Env env, Napi::Promise::Deferred deferred) {
  closed_ = true;
  if (calls_in_flight_ > 0) {
    closing_ = deferred;
    return;
  }
  Environment::of(env).closer.close(
      env, Closing{.memory = std::move(slots_), .fd = std::move(fd_)}, deferred);
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
  if (calls_in_flight_ == 0 && closing_) close(env, *std::exchange(closing_, std::nullopt));
}

FdUse::FdUse(std::shared_ptr<FdHandle> handle, Napi::Object owner)
    : handle_(std::move(handle)), fd_(handle_->fd()), owner_(Napi::Persistent(owner)) {
  ++handle_->calls_in_flight_;
}

FdUse::~FdUse() {
  if (handle_) handle_->end_call(owner_.Env());
}

}  // namespace tdctl
