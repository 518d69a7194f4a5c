// The system calls that a program's way to KVM may go through, of every ABI that x86 Linux has: the
// filter traps these, and the loop asks here what it has heard of.
#pragma once

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace tdctl::supervisor {

// A program calls each of them as it likes; `int 0x80` is the i386 ABI in a 64-bit program too.
enum class Abi { x86_64, x32, i386 };

enum class CallKind {
  open,
  // open() with no choice of flags.
  creat,
  // open() with its flags in a struct open_how.
  openat2,
  ioctl,
  truncate,
  ftruncate,
  fallocate,
  mmap,
  // Of memfds, which KVM's files are none of.
  seals,
};

// A call is trapped where the low half of an argument has one of the values in these bits; always, without
// any.
struct Only {
  std::size_t argument = 0;
  std::uint32_t bits = 0;
  std::uint32_t value = 0;
  std::uint32_t other_value = value;
};

struct TrappedCall {
  std::uint32_t architecture;
  std::uint32_t number;
  CallKind kind;
  // Index of the path, or of the fd where there is no path. What follows it are the flags.
  int subject = 0;
  // Index of the directory's fd; -1: the current directory.
  int directory = -1;
  Only only = {};
};

// Requests by their type: KVM's.
constexpr std::uint32_t request_type = 0xff00;
constexpr std::uint32_t kvm_type = 0xae00;
constexpr Only kvm_requests = {1, request_type, kvm_type};
// And those that programs ask of any file, such as isatty().
constexpr Only kvm_and_file_requests = {1, request_type, kvm_type, 0x5400};
// Of files, and not as the loader maps programs, with a flag that nobody else sets any more: a program
// maps memory without a file more often than all else.
constexpr Only file_mappings = {3, MAP_ANONYMOUS | MAP_DENYWRITE, 0};
// F_ADD_SEALS and F_GET_SEALS, with a neighbour on each side.
constexpr Only seal_commands = {1, ~std::uint32_t{3}, F_ADD_SEALS & ~3};

// The x32 ABI has the numbers of x86-64 with this bit, but for a few of its own from 512 on.
constexpr std::uint32_t x32_bit = 0x40000000;

constexpr TrappedCall trapped_calls[] = {
    {AUDIT_ARCH_X86_64, __NR_openat, CallKind::open, 1, 0},
    {AUDIT_ARCH_X86_64, __NR_ioctl, CallKind::ioctl, 0, -1, kvm_and_file_requests},
    {AUDIT_ARCH_X86_64, __NR_mmap, CallKind::mmap, 4, -1, file_mappings},
    {AUDIT_ARCH_X86_64, __NR_fcntl, CallKind::seals, 0, -1, seal_commands},
    {AUDIT_ARCH_X86_64, __NR_open, CallKind::open},
    {AUDIT_ARCH_X86_64, __NR_openat2, CallKind::openat2, 1, 0},
    {AUDIT_ARCH_X86_64, __NR_creat, CallKind::creat},
    {AUDIT_ARCH_X86_64, __NR_truncate, CallKind::truncate},
    {AUDIT_ARCH_X86_64, __NR_ftruncate, CallKind::ftruncate},
    {AUDIT_ARCH_X86_64, __NR_fallocate, CallKind::fallocate},
    // ioctl of the x32 ABI.
    {AUDIT_ARCH_X86_64, 514, CallKind::ioctl, 0, -1, kvm_requests},
    // arch/x86/entry/syscalls/syscall_32.tbl: the header for it can be had in 32-bit programs only.
    {AUDIT_ARCH_I386, 5, CallKind::open},
    {AUDIT_ARCH_I386, 8, CallKind::creat},
    {AUDIT_ARCH_I386, 54, CallKind::ioctl, 0, -1, kvm_requests},
    {AUDIT_ARCH_I386, 92, CallKind::truncate},
    {AUDIT_ARCH_I386, 93, CallKind::ftruncate},
    {AUDIT_ARCH_I386, 193, CallKind::truncate},   // truncate64
    {AUDIT_ARCH_I386, 194, CallKind::ftruncate},  // ftruncate64
    {AUDIT_ARCH_I386, 295, CallKind::open, 1, 0},
    {AUDIT_ARCH_I386, 437, CallKind::openat2, 1, 0},
};

constexpr Abi abi_of(const seccomp_data& data) {
  if (data.arch == AUDIT_ARCH_I386) return Abi::i386;
  return (static_cast<std::uint32_t>(data.nr) & x32_bit) == 0 ? Abi::x86_64 : Abi::x32;
}

// Null: the filter does not trap it.
constexpr const TrappedCall* trapped_call(const seccomp_data& data) {
  const std::uint32_t number = static_cast<std::uint32_t>(data.nr) & ~x32_bit;
  for (const TrappedCall& call : trapped_calls) {
    if (call.architecture == data.arch && call.number == number) return &call;
  }
  return nullptr;
}

}  // namespace tdctl::supervisor
