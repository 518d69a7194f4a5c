#include "arguments.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "../guest_memfd.h"
#include "../process/fd_channel.h"
#include "../process/passed_fd.h"
#include "../user_memory.h"
#include "../vcpu.h"
#include "../vm.h"
#include "js_error.h"
#include "wrapped.h"

namespace tdctl {

namespace {

// The quick way for the usual case: no message is built for a number that is right.
bool is_uint32(Napi::Value value, std::uint32_t* number) {
  if (!value.IsNumber()) return false;
  const double exact = value.As<Napi::Number>().DoubleValue();
  if (!(exact >= 0 && exact <= std::numeric_limits<std::uint32_t>::max())) return false;
  *number = static_cast<std::uint32_t>(exact);
  return *number == exact;
}

}  // namespace

bool Arguments::take_pending_exception() {
  if (!env().IsExceptionPending()) return false;
  const Napi::Error thrown = env().GetAndClearPendingException();
  if (!mistake_) mistake_ = thrown;
  return true;
}

void Arguments::type_mistake(const std::string& message) {
  if (!mistake_) mistake_ = Napi::TypeError::New(env(), message);
}

void Arguments::range_mistake(const std::string& message) {
  if (!mistake_) mistake_ = Napi::RangeError::New(env(), message);
}

void Arguments::closed_mistake(const std::string& what) {
  object_mistake(EBADF, what + " is closed");
}

void Arguments::busy_mistake(const std::string& sentence) { object_mistake(EBUSY, sentence); }

void Arguments::object_mistake(int error_number, const std::string& sentence) {
  if (mistake_) return;
  mistake_ = js_error(env(), Failure{.syscall = request_ == nullptr ? "" : "ioctl",
                                     .subject = request_ == nullptr ? "" : request_,
                                     .error_number = error_number,
                                     .sentence = sentence});
}

bool Arguments::object(Napi::Value value, const std::string& name) {
  if (!is_wrong() && !value.IsObject()) type_mistake("`" + name + "` must be an object");
  return !is_wrong();
}

Napi::Value Arguments::field(Napi::Value object, const char* name) {
  if (is_wrong() || !object.IsObject()) return env().Undefined();
  const Napi::Value value = object.As<Napi::Object>().Get(name);
  return take_pending_exception() ? env().Undefined() : value;
}

bool Arguments::boolean(Napi::Value value, const std::string& name) {
  if (is_wrong()) return false;
  if (!value.IsBoolean()) type_mistake("`" + name + "` must be true or false");
  return !is_wrong() && value.ToBoolean();
}

std::uint32_t Arguments::uint32(Napi::Value value, const std::string& name, std::uint32_t least,
                                std::uint32_t most) {
  if (is_wrong()) return 0;
  const std::string message = "`" + name + "` must be an integer from " + std::to_string(least) +
                              " to " + std::to_string(most);
  if (!value.IsNumber()) {
    type_mistake(message);
    return 0;
  }
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= least && number <= most) || number != std::trunc(number)) {
    range_mistake(message);
    return 0;
  }
  return static_cast<std::uint32_t>(number);
}

std::uint32_t Arguments::uint32_or(std::uint32_t otherwise, Napi::Value value,
                                   const std::string& name, std::uint32_t least) {
  return value.IsUndefined() ? otherwise : uint32(value, name, least);
}

std::uint64_t Arguments::uint64(Napi::Value value, const std::string& name) {
  if (is_wrong()) return 0;
  const std::string message = "`" + name + "` must be a BigInt from 0n to 2n ** 64n - 1n";
  if (!value.IsBigInt()) {
    type_mistake(message);
    return 0;
  }
  bool lossless = false;
  const std::uint64_t number = value.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) range_mistake(message);
  return number;
}

std::uint64_t Arguments::uint64_or(std::uint64_t otherwise, Napi::Value value,
                                   const std::string& name) {
  return value.IsUndefined() ? otherwise : uint64(value, name);
}

PageRange Arguments::pages(Napi::Value offset, Napi::Value length) {
  const PageRange range{uint64(offset, "offsetBytes"), uint64(length, "sizeBytes")};
  if (range.offset % uapi::page_size != 0 || range.length % uapi::page_size != 0 ||
      range.length == 0) {
    range_mistake("`offsetBytes` and `sizeBytes` must be multiples of 4096n, the size above 0n");
  }
  return range;
}

void Arguments::bytes(Napi::Value value, const std::string& name, std::span<std::byte> into) {
  if (is_wrong()) return;
  const std::span<const std::byte> bytes = view(value, name);
  if (is_wrong()) return;
  if (bytes.size() != into.size()) {
    range_mistake("`" + name + "` must have " + std::to_string(into.size()) + " bytes, not " +
                  std::to_string(bytes.size()));
    return;
  }
  std::memcpy(into.data(), bytes.data(), into.size());
}

std::span<const std::byte> Arguments::view(Napi::Value value, const std::string& name) {
  if (is_wrong()) return {};
  if (!value.IsTypedArray() ||
      value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    type_mistake("`" + name + "` must be a Uint8Array");
    return {};
  }
  const auto array = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const std::byte*>(array.Data()), array.ByteLength()};
}

std::string Arguments::string(Napi::Value value, const std::string& name) {
  if (is_wrong()) return {};
  if (!value.IsString()) {
    type_mistake("`" + name + "` must be a string");
    return {};
  }
  std::string text = value.As<Napi::String>().Utf8Value();
  // The kernel would see a shorter name than the caller wrote.
  if (text.find('\0') != std::string::npos) {
    range_mistake("`" + name + "` must not contain a null character");
  }
  return text;
}

std::optional<Napi::Array> Arguments::array(Napi::Value value, const std::string& name,
                                            std::uint32_t most) {
  if (is_wrong()) return std::nullopt;
  const std::string message =
      "`" + name + "` must be an array of at most " + std::to_string(most) + " elements";
  if (!value.IsArray()) {
    type_mistake(message);
    return std::nullopt;
  }
  const auto array = value.As<Napi::Array>();
  if (array.Length() > most) {
    range_mistake(message);
    return std::nullopt;
  }
  return array;
}

std::vector<std::uint32_t> Arguments::uint32s(Napi::Value value, const std::string& name,
                                              std::uint32_t most) {
  std::vector<std::uint32_t> numbers;
  const auto elements = array(value, name, most);
  if (!elements) return numbers;
  const std::uint32_t length = elements->Length();
  numbers.reserve(length);
  for (std::uint32_t index = 0; index < length; ++index) {
    const Napi::Value element = elements->Get(index);
    if (take_pending_exception()) break;
    if (!is_uint32(element, &numbers.emplace_back())) {
      uint32(element, name + "[" + std::to_string(index) + "]");
      break;
    }
  }
  return numbers;
}

void Arguments::uint64s(Napi::Value value, const std::string& name,
                        std::span<std::uint64_t> into) {
  const auto elements = array(value, name, static_cast<std::uint32_t>(into.size()));
  if (!elements) return;
  const auto length = std::min<std::size_t>(elements->Length(), into.size());
  for (std::uint32_t index = 0; index < length && !is_wrong(); ++index) {
    const Napi::Value element = elements->Get(index);
    if (take_pending_exception()) return;
    into[index] = uint64(element, name + "[" + std::to_string(index) + "]");
  }
}

namespace {

struct CpuidField {
  const char* name;
  std::uint32_t uapi::kvm_cpuid_entry2::*member;
};

constexpr CpuidField cpuid_fields[] = {
    {"function", &uapi::kvm_cpuid_entry2::function}, {"index", &uapi::kvm_cpuid_entry2::index},
    {"flags", &uapi::kvm_cpuid_entry2::flags},       {"eax", &uapi::kvm_cpuid_entry2::eax},
    {"ebx", &uapi::kvm_cpuid_entry2::ebx},           {"ecx", &uapi::kvm_cpuid_entry2::ecx},
    {"edx", &uapi::kvm_cpuid_entry2::edx},
};

}  // namespace

std::vector<uapi::kvm_cpuid_entry2> Arguments::cpuid_entries(Napi::Value value,
                                                             const std::string& name,
                                                             std::uint32_t most) {
  std::vector<uapi::kvm_cpuid_entry2> entries;
  const auto elements = array(value, name, most);
  if (!elements) return entries;

  // The keys are made once: a fresh string for each field of each entry would be most of the cost.
  Napi::String keys[std::size(cpuid_fields)];
  for (std::size_t at = 0; at < std::size(cpuid_fields); ++at) {
    keys[at] = Napi::String::New(env(), cpuid_fields[at].name);
  }
  const std::uint32_t length = elements->Length();
  entries.resize(length);
  for (std::uint32_t index = 0; index < length && !is_wrong(); ++index) {
    const Napi::HandleScope scope(env());
    const Napi::Value element = elements->Get(index);
    if (take_pending_exception()) break;
    if (!element.IsObject()) {
      object(element, name + "[" + std::to_string(index) + "]");
      break;
    }
    for (std::size_t at = 0; at < std::size(cpuid_fields) && !is_wrong(); ++at) {
      const Napi::Value number = element.As<Napi::Object>().Get(keys[at]);
      if (take_pending_exception()) break;
      if (is_uint32(number, &(entries[index].*cpuid_fields[at].member))) continue;
      uint32(number, name + "[" + std::to_string(index) + "]." + cpuid_fields[at].name);
    }
  }
  return entries;
}

MemoryRange Arguments::memory_range(Napi::Value value, const std::string& name,
                                    std::uint64_t offset, std::uint64_t length) {
  if (is_wrong()) return {};
  UserMemory* memory = unwrap<UserMemory>(value);
  if (memory == nullptr) {
    type_mistake(name + " must be a UserMemory");
    return {};
  }
  const std::shared_ptr<Mapping>& mapping = memory->mapping();
  if (!mapping) {
    closed_mistake(name);
    return {};
  }
  if (!mapping->contains(offset, length)) {
    range_mistake(name + " has " + std::to_string(mapping->size_bytes()) + " bytes: " +
                  std::to_string(length) + " bytes at " + std::to_string(offset) +
                  " are outside");
    return {};
  }
  return {mapping, address_of(mapping->address()) + offset};
}

template <typename Class>
std::optional<FdUse> Arguments::fd_object(Napi::Value value, const std::string& name) {
  if (is_wrong()) return std::nullopt;
  Class* object = unwrap<Class>(value);
  if (object == nullptr) {
    type_mistake("`" + name + "` must be a " + Class::name);
    return std::nullopt;
  }
  if (object->handle()->is_closed()) {
    closed_mistake("`" + name + "`");
    return std::nullopt;
  }
  return FdUse(object->handle(), value.As<Napi::Object>());
}

std::optional<FdUse> Arguments::vm(Napi::Value value, const std::string& name) {
  return fd_object<Vm>(value, name);
}

std::optional<FdUse> Arguments::vcpu(Napi::Value value, const std::string& name) {
  return fd_object<Vcpu>(value, name);
}

std::optional<FdUse> Arguments::guest_memfd(Napi::Value value, const std::string& name) {
  return fd_object<GuestMemfd>(value, name);
}

std::optional<FdUse> Arguments::passed_fd(Napi::Value value, const std::string& name) {
  return fd_object<PassedFd>(value, name);
}

std::optional<FdUse> Arguments::vm_or_passed(Napi::Value value, const std::string& name) {
  return unwrap<PassedFd>(value) == nullptr ? vm(value, name) : passed_fd(value, name);
}

std::optional<SentFd> Arguments::fd_to_send(Napi::Value value, const std::string& name) {
  if (unwrap<UserMemory>(value) != nullptr) {
    MemoryRange range = memory_range(value, "`" + name + "`", 0, 0);
    if (!is_wrong() && range.mapping->fd() < 0) {
      type_mistake("`" + name + "` must be shared memory");
    }
    if (is_wrong()) return std::nullopt;
    return SentFd{.mapping = std::move(range.mapping)};
  }
  const auto sent = [](std::optional<FdUse> use) {
    return use ? std::optional(SentFd{.use = std::move(use)}) : std::nullopt;
  };
  if (unwrap<Vm>(value) != nullptr) return sent(vm(value, name));
  if (unwrap<GuestMemfd>(value) != nullptr) return sent(guest_memfd(value, name));
  if (unwrap<PassedFd>(value) != nullptr) return sent(passed_fd(value, name));
  if (unwrap<FdChannel>(value) != nullptr) return sent(fd_object<FdChannel>(value, name));
  type_mistake("`" + name +
               "` must be a Vm, a GuestMemfd, a UserMemory, an FdChannel or a PassedFd");
  return std::nullopt;
}

}  // namespace tdctl
