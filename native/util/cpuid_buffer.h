// A struct that ends in a kvm_cpuid2, with room for its entries.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "../uapi/kvm.h"
#include "result.h"

namespace tdctl {

inline uapi::kvm_cpuid2& cpuid_of(uapi::kvm_cpuid2& header) { return header; }
template <typename Header>
uapi::kvm_cpuid2& cpuid_of(Header& header) {
  return header.cpuid;
}

// All zero but for `nent`.
template <typename Header>
class CpuidBuffer {
 public:
  explicit CpuidBuffer(std::uint32_t entries)
      : bytes_(std::make_unique<std::byte[]>(sizeof(Header) +
                                             entries * sizeof(uapi::kvm_cpuid_entry2))),
        capacity_(entries) {
    cpuid().nent = entries;
  }

  Header* get() const { return reinterpret_cast<Header*>(bytes_.get()); }
  uapi::kvm_cpuid2& cpuid() const { return cpuid_of(*get()); }

  // The entries that `nent` counts, never more than there is room for.
  std::span<uapi::kvm_cpuid_entry2> entries() const {
    auto* first = reinterpret_cast<uapi::kvm_cpuid_entry2*>(bytes_.get() + sizeof(Header));
    return {first, cpuid().nent < capacity_ ? cpuid().nent : capacity_};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::uint32_t capacity_;
};

// Asks with ever more room while the answer is E2BIG: the number of entries that the kernel wrote
// back where it said it (KVM_TDX_GET_CPUID), else twice as many (KVM_GET_SUPPORTED_CPUID and
// KVM_TDX_CAPABILITIES do not say). `ask` is (Header*) -> Result<int>.
template <typename Header, typename Ask>
Result<CpuidBuffer<Header>> grow_cpuid(Ask ask) {
  constexpr std::uint32_t first = 128;
  // Four times what any kernel takes: a kernel that still wants more is not to be believed.
  constexpr std::uint32_t most = 4 * uapi::kvm_max_cpuid_entries;
  std::uint32_t room = first;
  while (true) {
    CpuidBuffer<Header> buffer(room);
    Result<int> answer = ask(buffer.get());
    if (answer.ok()) return buffer;
    const std::uint32_t wanted = buffer.cpuid().nent;
    const std::uint32_t next = wanted > room ? wanted : 2 * room;
    if (answer.failure().error_number != E2BIG || next > most) return std::move(answer.failure());
    room = next;
  }
}

}  // namespace tdctl
