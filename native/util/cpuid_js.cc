#include "cpuid_js.h"

namespace tdctl {

Napi::Array cpuid_to_js(Napi::Env env, std::span<const uapi::kvm_cpuid_entry2> entries) {
  Napi::Array array = Napi::Array::New(env, entries.size());
  std::uint32_t index = 0;
  for (const uapi::kvm_cpuid_entry2& entry : entries) {
    const Napi::HandleScope scope(env);
    Napi::Object object = Napi::Object::New(env);
    object.Set("function", entry.function);
    object.Set("index", entry.index);
    object.Set("flags", entry.flags);
    object.Set("eax", entry.eax);
    object.Set("ebx", entry.ebx);
    object.Set("ecx", entry.ecx);
    object.Set("edx", entry.edx);
    array.Set(index++, object);
  }
  return array;
}

}  // namespace tdctl
