#include "guest_exit_js.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "util/bytes_js.h"
#include "util/errno_name.h"

namespace tdctl {

namespace {

// The words of kvm_run.tdx by the leaf of the TDVMCALL (GHCI; arch/x86/include/asm/shared/tdx.h).
struct TdxCall {
  std::uint64_t nr;
  std::span<const char* const> words;
};
constexpr const char* get_quote[] = {"ret", "gpa", "size"};
constexpr const char* get_tdvmcall_info[] = {"ret", "leaf", "r11", "r12", "r13", "r14"};
constexpr const char* setup_event_notify[] = {"ret", "vector"};
constexpr const char* unknown_call[] = {"ret", "data0", "data1", "data2", "data3", "data4"};
constexpr TdxCall tdx_calls[] = {
    {0x10000, get_tdvmcall_info},
    {0x10002, get_quote},
    {0x10004, setup_event_notify},
};

std::span<const char* const> words_of(std::uint64_t nr) {
  for (const TdxCall& call : tdx_calls) {
    if (call.nr == nr) return call.words;
  }
  return unknown_call;
}

Napi::Value big(Napi::Env env, std::uint64_t number) { return Napi::BigInt::New(env, number); }

Napi::Value words_to_js(Napi::Env env, const std::uint64_t* words, std::uint32_t count) {
  Napi::Array array = Napi::Array::New(env, count);
  for (std::uint32_t at = 0; at < count; ++at) array.Set(at, big(env, words[at]));
  return array;
}

void set_memory_fault(Napi::Env env, Napi::Object object, const uapi::kvm_run& run) {
  object.Set("flags", big(env, run.memory_fault.flags));
  object.Set("gpa", big(env, run.memory_fault.gpa));
  object.Set("sizeBytes", big(env, run.memory_fault.size));
}

}  // namespace

Napi::Value exit_to_js(Napi::Env env, const uapi::kvm_run& run) {
  Napi::Object exit = Napi::Object::New(env);
  switch (run.exit_reason) {
    case uapi::kvm_exit_mmio: {
      const std::size_t length = std::min<std::size_t>(run.mmio.len, sizeof run.mmio.data);
      exit.Set("kind", "mmio");
      exit.Set("gpa", big(env, run.mmio.phys_addr));
      exit.Set("sizeBytes", static_cast<double>(length));
      if (run.mmio.is_write != 0) {
        const Napi::Value data =
            bytes_to_js(env, std::as_bytes(std::span(run.mmio.data).first(length)));
        if (data.IsEmpty()) return {};
        exit.Set("data", data);
      }
      break;
    }
    case uapi::kvm_exit_hypercall:
      exit.Set("kind", "hypercall");
      exit.Set("nr", big(env, run.hypercall.nr));
      exit.Set("args", words_to_js(env, run.hypercall.args, 6));
      break;
    case uapi::kvm_exit_memory_fault:
      exit.Set("kind", "memory-fault");
      set_memory_fault(env, exit, run);
      break;
    default: {
      exit.Set("kind", "tdx");
      exit.Set("nr", big(env, run.tdx.nr));
      const auto words = words_of(run.tdx.nr);
      for (std::size_t at = 0; at < words.size(); ++at) {
        exit.Set(words[at], big(env, run.tdx.data[at]));
      }
    }
  }
  return exit;
}

Napi::Value end_to_js(Napi::Env env, const GuestEnd& end) {
  using Kind = GuestEnd::Kind;
  Napi::Object object = Napi::Object::New(env);
  const auto kind = [&object](const char* name) { object.Set("kind", name); };
  object.Set("vcpu", end.vcpu);
  switch (end.kind) {
    case Kind::power_off:
      kind("power-off");
      break;
    case Kind::reset:
      kind("reset");
      break;
    case Kind::debug_exit:
      kind("debug-exit");
      object.Set("value", end.value);
      break;
    case Kind::halted:
      kind("halted");
      break;
    case Kind::shutdown:
      kind("shutdown");
      break;
    case Kind::fail_entry:
      kind("fail-entry");
      object.Set("reason", big(env, end.run.fail_entry.hardware_entry_failure_reason));
      object.Set("cpu", end.run.fail_entry.cpu);
      break;
    case Kind::internal_error:
      kind("internal-error");
      object.Set("suberror", end.run.internal.suberror);
      object.Set("data", words_to_js(env, end.run.internal.data,
                                     std::min<std::uint32_t>(end.run.internal.ndata, 16)));
      break;
    case Kind::system_event:
      kind("system-event");
      object.Set("type", end.run.system_event.type);
      object.Set("data", words_to_js(env, end.run.system_event.data,
                                     std::min<std::uint32_t>(end.run.system_event.ndata, 16)));
      break;
    case Kind::memory_fault:
      kind("memory-fault");
      set_memory_fault(env, object, end.run);
      break;
    case Kind::unknown_exit:
      kind("unknown-exit");
      object.Set("exitReason", end.run.exit_reason);
      break;
    case Kind::run_failed:
      kind("run-failed");
      object.Set("errno", end.value);
      object.Set("code", errno_name(static_cast<int>(end.value)));
      break;
  }
  return object;
}

bool apply_answer(Arguments& arguments, Napi::Value answer, uapi::kvm_run& run) {
  if (answer.IsUndefined() || !arguments.object(answer, "answer")) return false;
  switch (run.exit_reason) {
    case uapi::kvm_exit_mmio: {
      const Napi::Value data = arguments.field(answer, "data");
      if (run.mmio.is_write != 0 || data.IsUndefined()) return false;
      const std::size_t length = std::min<std::size_t>(run.mmio.len, sizeof run.mmio.data);
      arguments.bytes(data, "data", std::as_writable_bytes(std::span(run.mmio.data).first(length)));
      return false;
    }
    case uapi::kvm_exit_hypercall: {
      const std::uint64_t ret = arguments.uint64(arguments.field(answer, "ret"), "ret");
      if (!arguments.is_wrong()) run.hypercall.ret = ret;
      return false;
    }
    case uapi::kvm_exit_memory_fault: {
      const Napi::Value retry = arguments.field(answer, "retry");
      return !arguments.is_wrong() && retry.ToBoolean();
    }
    default: {
      const auto words = words_of(run.tdx.nr);
      std::uint64_t answered[std::size(run.tdx.data)];
      std::copy_n(run.tdx.data, words.size(), answered);
      for (std::size_t at = 0; at < words.size(); ++at) {
        answered[at] =
            arguments.uint64_or(answered[at], arguments.field(answer, words[at]), words[at]);
      }
      if (!arguments.is_wrong()) std::copy_n(answered, words.size(), run.tdx.data);
      return false;
    }
  }
}

}  // namespace tdctl
