// KVM_TDX_INIT_MEM_REGION over any number of pages.
//
// The kernel encrypts and may measure every page: a large region takes minutes. So it goes in
// chunks, one ioctl each on a worker thread, and between two of them the JS thread reports
// progress and looks whether somebody cancelled. The kernel writes the struct back advanced by the
// pages it did, also when it fails; after EAGAIN, EINTR and EBUSY the chunk goes on from there.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "util/task.h"
#include "vcpu.h"

namespace tdctl {

namespace {

using std::chrono::milliseconds;

constexpr const uapi::TdxCommand& command = uapi::tdx_command::kvm_tdx_init_mem_region;
constexpr std::uint32_t default_chunk_pages = 512;
// Between two tries that got no page done: doubled from the first to the longest.
constexpr milliseconds first_pause{1};
constexpr milliseconds longest_pause{100};

struct Plan {
  MemoryRange source;
  std::uint64_t gpa;
  std::uint32_t pages;
  std::uint32_t flags;
  std::uint32_t chunk_pages;
  milliseconds stall_timeout;
};

bool is_passing(int error_number) {
  return error_number == EAGAIN || error_number == EINTR || error_number == EBUSY;
}

class InitMemRegionTask final : public Task {
 public:
  InitMemRegionTask(Napi::Env env, FdUse vcpu, Plan plan, Napi::Value signal,
                    Napi::Value on_progress)
      : kernel_(Environment::of(env).kernel),
        vcpu_(std::move(vcpu)),
        plan_(std::move(plan)),
        deferred_(Napi::Promise::Deferred::New(env)) {
    if (signal.IsObject()) signal_ = Napi::Persistent(signal.As<Napi::Object>());
    if (on_progress.IsFunction()) on_progress_ = Napi::Persistent(on_progress.As<Napi::Function>());
    begin_chunk();
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

  // Queues the next ioctl, unless somebody wants it to stop.
  static void go_on(Napi::Env env, std::unique_ptr<InitMemRegionTask> self) {
    if (!self->was_stopped(env)) queue(env, std::move(self));
  }

  void execute() override {
    if (pause_ > milliseconds::zero()) std::this_thread::sleep_for(pause_);
    const std::uint64_t before = region_.nr_pages;
    answer_.emplace(kernel_.tdx(vcpu_.fd(), command, plan_.flags, address_of(&region_)));
    pages_now_ = before - std::min(before, region_.nr_pages);
  }

  void complete(Napi::Env env, std::unique_ptr<Task> owner) override {
    pages_done_ += pages_now_;
    if (!answer_->ok() && !is_passing(answer_->failure().error_number)) {
      return reject(env, std::move(answer_->failure()));
    }
    if (region_.nr_pages > 0) {
      if (!may_try_again(env)) return;
    } else {
      if (!report_progress(env)) return;
      if (pages_done_ == plan_.pages) return deferred_.Resolve(env.Undefined());
      begin_chunk();
    }
    static_cast<void>(owner.release());
    go_on(env, std::unique_ptr<InitMemRegionTask>(this));
  }

 private:
  void begin_chunk() {
    region_ = {
        .source_addr = plan_.source.address + pages_done_ * uapi::page_size,
        .gpa = plan_.gpa + pages_done_ * uapi::page_size,
        .nr_pages = std::min<std::uint64_t>(plan_.chunk_pages, plan_.pages - pages_done_),
    };
    progressed();
  }

  void progressed() {
    pause_ = milliseconds::zero();
    stalled_ = milliseconds::zero();
  }

  // The chunk is not done. False, and rejected, where it has stood still for too long.
  bool may_try_again(Napi::Env env) {
    if (pages_now_ > 0) {
      progressed();
      return true;
    }
    if (stalled_ >= plan_.stall_timeout) {
      const int error_number = answer_->ok() ? EAGAIN : answer_->failure().error_number;
      reject(env, Failure{.subject = command.name, .error_number = error_number});
      return false;
    }
    pause_ = pause_ == milliseconds::zero() ? first_pause : std::min(2 * pause_, longest_pause);
    stalled_ += pause_;
    return true;
  }

  bool report_progress(Napi::Env env) {
    if (on_progress_.IsEmpty()) return true;
    on_progress_.Value().Call({Napi::Number::New(env, static_cast<double>(pages_done_))});
    return !reject_with_pending_exception(env);
  }

  // True, and rejected, where the signal aborted or the vCPU was closed.
  bool was_stopped(Napi::Env env) {
    if (vcpu_.handle().is_closed()) {
      reject(env, Failure{.subject = command.name,
                          .error_number = EBADF,
                          .sentence = "the vCPU is closed"});
      return true;
    }
    if (signal_.IsEmpty()) return false;
    const Napi::Value aborted = signal_.Value().Get("aborted");
    if (reject_with_pending_exception(env)) return true;
    // Empty without an exception: this thread is being terminated.
    if (aborted.IsEmpty()) return true;
    if (!aborted.ToBoolean()) return false;
    reject(env, Failure{.subject = command.name,
                        .error_number = EINTR,
                        .sentence = "cancelled after " + std::to_string(pages_done_) + " of " +
                                    std::to_string(plan_.pages) + " pages"});
    return true;
  }

  void reject(Napi::Env env, Failure failure) {
    failure.detail = Detail{"pagesDone", static_cast<double>(pages_done_)};
    deferred_.Reject(js_error(env, failure).Value());
  }

  bool reject_with_pending_exception(Napi::Env env) {
    if (!env.IsExceptionPending()) return false;
    deferred_.Reject(env.GetAndClearPendingException().Value());
    return true;
  }

  Kernel kernel_;
  FdUse vcpu_;
  Plan plan_;
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference signal_;
  Napi::FunctionReference on_progress_;

  // The chunk as the kernel left it.
  uapi::kvm_tdx_init_mem_region region_{};
  std::optional<Result<int>> answer_;
  std::uint64_t pages_now_ = 0;
  std::uint64_t pages_done_ = 0;
  milliseconds pause_{};
  // The pauses since the last page, in sum: a clock would also count the time that this process was
  // stopped for, by SIGSTOP or with the machine.
  milliseconds stalled_{};
};

Plan read_plan(Arguments& arguments, Napi::Value region) {
  arguments.object(region, "region");
  const auto field = [&](const char* name) { return arguments.field(region, name); };
  const std::uint64_t offset = arguments.uint64(field("sourceOffsetBytes"), "sourceOffsetBytes");
  const std::uint32_t pages = arguments.uint32(field("pages"), "pages");
  const std::uint64_t bytes = pages * uapi::page_size;
  return {
      .source = arguments.memory_range(field("source"), "`source`", offset, bytes),
      .gpa = arguments.uint64(field("gpa"), "gpa"),
      .pages = pages,
      .flags = arguments.uint32_or(0, field("flags"), "flags"),
      .chunk_pages =
          arguments.uint32_or(default_chunk_pages, field("chunkPages"), "chunkPages", 1),
      .stall_timeout = milliseconds(arguments.uint32_or(
          Vcpu::default_stall_timeout_ms, field("stallTimeoutMs"), "stallTimeoutMs")),
  };
}

}  // namespace

Napi::Value Vcpu::tdx_init_mem_region(const Napi::CallbackInfo& info) {
  Arguments arguments(info, command.name);
  const Napi::Env env = info.Env();
  Plan plan = read_plan(arguments, info[0]);
  const Napi::Value signal = arguments.field(info[0], "signal");
  const Napi::Value on_progress = arguments.field(info[0], "onProgress");
  if (!signal.IsUndefined() && !signal.IsObject()) {
    arguments.type_mistake("`signal` must be an AbortSignal");
  }
  if (!on_progress.IsUndefined() && !on_progress.IsFunction()) {
    arguments.type_mistake("`onProgress` must be a function");
  }
  if (handle()->is_closed()) arguments.closed_mistake("the vCPU");
  if (arguments.is_wrong()) return rejected(env, arguments.mistake());

  auto task = std::make_unique<InitMemRegionTask>(env, FdUse(handle(), Value()), std::move(plan),
                                                  signal, on_progress);
  const Napi::Promise promise = task->promise();
  InitMemRegionTask::go_on(env, std::move(task));
  return promise;
}

}  // namespace tdctl
