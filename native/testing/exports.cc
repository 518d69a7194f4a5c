#include "exports.h"

#include <memory>
#include <utility>
#include <vector>

#include "../uapi/run.h"
#include "../uapi/state.h"
#include "../util/arguments.h"
#include "../util/bytes_js.h"
#include "../util/environment.h"
#include "../vcpu.h"
#include "script.h"

namespace tdctl::testing {

namespace {

std::vector<std::byte> read_bytes(Arguments& arguments, Napi::Value value, const char* name) {
  if (value.IsUndefined()) return {};
  const std::span<const std::byte> bytes = arguments.view(value, name);
  return {bytes.begin(), bytes.end()};
}

Answer read_answer(Arguments& arguments, Napi::Value value) {
  arguments.object(value, "answer");
  Answer answer;
  answer.request = arguments.uint32(arguments.field(value, "request"), "request");
  const Napi::Value returns = arguments.field(value, "returns");
  if (returns.IsString()) {
    const std::string kind = arguments.string(returns, "returns");
    answer.file = kind == "memory" ? Answer::File::memory : Answer::File::null;
  } else {
    answer.returns = static_cast<int>(arguments.uint32_or(0, returns, "returns"));
  }
  answer.error_number =
      static_cast<int>(arguments.uint32_or(0, arguments.field(value, "errno"), "errno"));
  answer.argument = read_bytes(arguments, arguments.field(value, "argument"), "argument");
  answer.data = read_bytes(arguments, arguments.field(value, "data"), "data");
  answer.memory = read_bytes(arguments, arguments.field(value, "memory"), "memory");
  answer.hold = arguments.field(value, "hold").ToBoolean();
  return answer;
}

Napi::Value calls_to_js(Napi::Env env, const std::vector<Call>& calls) {
  Napi::Array array = Napi::Array::New(env, calls.size());
  std::uint32_t index = 0;
  for (const Call& call : calls) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("fd", call.fd);
    object.Set("request", static_cast<double>(call.request));
    object.Set("expected", call.expected);
    object.Set("value", Napi::BigInt::New(env, static_cast<std::uint64_t>(call.value)));
    object.Set("argument", bytes_to_js(env, call.argument));
    object.Set("data", bytes_to_js(env, call.data));
    array.Set(index++, object);
  }
  return array;
}

Napi::Value script_to_js(Napi::Env env, const std::shared_ptr<Script>& script) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("calls", Napi::Function::New(env, [script](const Napi::CallbackInfo& info) {
               return calls_to_js(info.Env(), script->calls());
             }));
  object.Set("release", Napi::Function::New(env, [script](const Napi::CallbackInfo&) {
               script->release();
             }));
  object.Set("end", Napi::Function::New(env, [script](const Napi::CallbackInfo& info) {
               Kernel& kernel = Environment::of(info.Env()).kernel;
               if (kernel.context() == script) kernel = Kernel();
             }));
  return object;
}

Napi::Value script(const Napi::CallbackInfo& info) {
  Arguments arguments(info, nullptr);
  std::vector<Answer> answers;
  if (const auto elements = arguments.array(info[0], "answers", 100'000)) {
    for (std::uint32_t index = 0; index < elements->Length() && !arguments.is_wrong(); ++index) {
      answers.push_back(read_answer(arguments, elements->Get(index)));
    }
  }
  if (arguments.is_wrong()) {
    arguments.mistake().ThrowAsJavaScriptException();
    return {};
  }
  const auto script = std::make_shared<Script>(std::move(answers));
  Environment::of(info.Env()).kernel = Kernel(Script::ioctl, script);
  return script_to_js(info.Env(), script);
}

Napi::Value numbers(const Napi::CallbackInfo& info) {
  namespace request = uapi::request;
  namespace tdx_command = uapi::tdx_command;
  Napi::Object object = Napi::Object::New(info.Env());
  for (const uapi::Request& known :
       {request::kvm_get_api_version, request::kvm_create_vm, request::kvm_check_extension,
        request::kvm_get_vcpu_mmap_size, request::kvm_get_supported_cpuid,
        request::kvm_create_vcpu, request::kvm_set_user_memory_region,
        request::kvm_set_user_memory_region2, request::kvm_create_irqchip,
        request::kvm_set_tsc_khz, request::kvm_enable_cap, request::kvm_memory_encrypt_op,
        request::kvm_set_memory_attributes, request::kvm_create_guest_memfd,
        request::kvm_link_guest_memfd, request::kvm_set_memory_attributes2,
        request::kvm_set_cpuid2, request::kvm_get_msr_index_list, request::kvm_irq_line,
        request::kvm_get_irqchip, request::kvm_set_irqchip, request::kvm_create_pit2,
        request::kvm_set_clock, request::kvm_get_clock, request::kvm_get_pit2,
        request::kvm_set_pit2, request::kvm_signal_msi, request::kvm_get_tsc_khz,
        request::kvm_run, request::kvm_get_regs, request::kvm_set_regs, request::kvm_get_sregs,
        request::kvm_set_sregs, request::kvm_get_msrs, request::kvm_set_msrs,
        request::kvm_get_lapic, request::kvm_set_lapic, request::kvm_get_mp_state,
        request::kvm_set_mp_state, request::kvm_get_vcpu_events, request::kvm_set_vcpu_events,
        request::kvm_get_debugregs, request::kvm_set_debugregs, request::kvm_get_xsave,
        request::kvm_set_xsave, request::kvm_get_xcrs, request::kvm_set_xcrs,
        request::kvm_get_sregs2, request::kvm_set_sregs2, request::kvm_get_xsave2,
        request::kvm_set_device_attr, request::kvm_get_device_attr}) {
    object.Set(known.name, static_cast<double>(known.number));
  }
  for (const uapi::TdxCommand& known :
       {tdx_command::kvm_tdx_capabilities, tdx_command::kvm_tdx_init_vm,
        tdx_command::kvm_tdx_init_vcpu, tdx_command::kvm_tdx_init_mem_region,
        tdx_command::kvm_tdx_finalize_vm, tdx_command::kvm_tdx_get_cpuid,
        tdx_command::kvm_tdx_terminate_vm}) {
    object.Set(known.name, known.id);
  }
  return object;
}

Napi::Value struct_sizes(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
#define SIZE(type) object.Set(#type, static_cast<double>(sizeof(uapi::type)))
  SIZE(kvm_cpuid_entry2);
  SIZE(kvm_cpuid2);
  SIZE(kvm_enable_cap);
  SIZE(kvm_userspace_memory_region);
  SIZE(kvm_userspace_memory_region2);
  SIZE(kvm_create_guest_memfd);
  SIZE(kvm_link_guest_memfd);
  SIZE(kvm_memory_attributes);
  SIZE(kvm_memory_attributes2);
  SIZE(kvm_tdx_cmd);
  SIZE(kvm_tdx_capabilities);
  SIZE(kvm_tdx_init_vm);
  SIZE(kvm_tdx_init_vm_fixed);
  SIZE(kvm_tdx_init_mem_region);
  SIZE(kvm_regs);
  SIZE(kvm_sregs);
  SIZE(kvm_sregs2);
  SIZE(kvm_xsave);
  SIZE(kvm_xcrs);
  SIZE(kvm_vcpu_events);
  SIZE(kvm_debugregs);
  SIZE(kvm_lapic_state);
  SIZE(kvm_mp_state);
  SIZE(kvm_msrs);
  SIZE(kvm_msr_entry);
  SIZE(kvm_msr_list);
  SIZE(kvm_device_attr);
  SIZE(kvm_clock_data);
  SIZE(kvm_irqchip);
  SIZE(kvm_pit_config);
  SIZE(kvm_pit_state2);
  SIZE(kvm_irq_level);
  SIZE(kvm_msi);
  SIZE(kvm_run);
#undef SIZE
  return object;
}

}  // namespace

Napi::Object exports(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("script", Napi::Function::New<script>(env, "script"));
  object.Set("numbers", Napi::Function::New<numbers>(env, "numbers"));
  object.Set("stallTimeoutMs", static_cast<double>(Vcpu::default_stall_timeout_ms));
  object.Set("structSizes", Napi::Function::New<struct_sizes>(env, "structSizes"));
  return object;
}

}  // namespace tdctl::testing
