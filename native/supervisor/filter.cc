#include "filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "trapped_calls.h"

namespace tdctl::supervisor {

namespace {

constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter leave(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }

// Where the program goes on where a value is the one that was asked for, and else: places in it.
constexpr sock_filter if_equal(std::size_t at, std::uint32_t value, std::size_t then,
                               std::size_t otherwise) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, static_cast<std::uint8_t>(then - at - 1),
                  static_cast<std::uint8_t>(otherwise - at - 1));
}

// So many instructions.
constexpr std::size_t look_at_argument = 4;

constexpr std::size_t calls_of(std::uint32_t architecture) {
  std::size_t count = 0;
  for (const TrappedCall& call : trapped_calls) {
    if (call.architecture == architecture) count += call.only.bits == 0 ? 1 : 1 + look_at_argument;
  }
  return count;
}

// The places of the program's parts.
constexpr std::size_t numbers_x86_64 = 3;
constexpr std::size_t numbers_i386 = numbers_x86_64 + 2 + calls_of(AUDIT_ARCH_X86_64) + 1;
constexpr std::size_t allow = numbers_i386 + 2 + calls_of(AUDIT_ARCH_I386);
constexpr std::size_t trap = allow + 1;

constexpr auto assemble() {
  std::array<sock_filter, trap + 1> program = {};
  std::size_t at = 0;
  const auto add = [&program, &at](sock_filter instruction) { program[at++] = instruction; };
  const auto add_numbers = [&](std::uint32_t architecture) {
    add(load(offsetof(seccomp_data, nr)));
    add(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~x32_bit));
    for (const TrappedCall& call : trapped_calls) {
      if (call.architecture != architecture) continue;
      const auto& [argument, bits, value, other_value] = call.only;
      if (bits == 0) {
        add(if_equal(at, call.number, trap, at + 1));
        continue;
      }
      add(if_equal(at, call.number, at + 1, at + 1 + look_at_argument));
      // Its low half. Little endian.
      add(load(offsetof(seccomp_data, args) + 8 * argument));
      add(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits));
      add(if_equal(at, value, trap, at + 1));
      add(if_equal(at, other_value, trap, allow));
    }
  };

  add(load(offsetof(seccomp_data, arch)));
  add(if_equal(at, AUDIT_ARCH_X86_64, numbers_x86_64, at + 1));
  add(if_equal(at, AUDIT_ARCH_I386, numbers_i386, allow));
  add_numbers(AUDIT_ARCH_X86_64);
  add(leave(SECCOMP_RET_ALLOW));
  add_numbers(AUDIT_ARCH_I386);
  add(leave(SECCOMP_RET_ALLOW));
  add(leave(SECCOMP_RET_USER_NOTIF));
  return program;
}

constexpr auto program = assemble();

}  // namespace

int load_filter() {
  sock_fprog filter = {
      .len = static_cast<unsigned short>(program.size()),
      .filter = const_cast<sock_filter*>(program.data()),
  };
  // WAIT_KILLABLE_RECV: as in KVM itself, no signal but a deadly one ends a call once it is heard of.
  // Without it a signal can take the caller away after its answer was given, and nobody is told that
  // the call, which was carried out, returned EINTR. What a signal does end, KVM_RUN, is for the loop.
  constexpr unsigned long flags =
      SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  const long listener = ::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  return listener < 0 ? -errno : static_cast<int>(listener);
}

}  // namespace tdctl::supervisor
