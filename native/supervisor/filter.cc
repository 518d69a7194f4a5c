#include "filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>

#include "../uapi/kvm.h"

namespace tdctl::supervisor {

namespace {

constexpr unsigned kvm_ioctl_type = 0xae;
// The x32 ABI marks its system calls with this bit; they are let through.
constexpr unsigned x32_bit = 0x40000000;

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
// Jump targets count instructions after the jump.
#define IF_EQUAL(value, then, otherwise) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)

// Low half of the second argument of ioctl. Little endian.
constexpr std::size_t request_offset = offsetof(seccomp_data, args) + 8;

const sock_filter program[] = {
    /* 0 */ LOAD(arch),
    /* 1 */ IF_EQUAL(AUDIT_ARCH_X86_64, 0, 10),
    /* 2 */ LOAD(nr),
    /* 3 */ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32_bit, 8, 0),
    /* 4 */ IF_EQUAL(__NR_openat, 8, 0),
    /* 5 */ IF_EQUAL(__NR_open, 7, 0),
    /* 6 */ IF_EQUAL(__NR_openat2, 6, 0),
    /* 7 */ IF_EQUAL(__NR_ioctl, 0, 4),
    /* 8 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, request_offset),
    /* 9 */ BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 8),
    /* 10 */ BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
    /* 11 */ IF_EQUAL(kvm_ioctl_type, 1, 0),
    /* 12 */ RETURN(SECCOMP_RET_ALLOW),
    /* 13 */ RETURN(SECCOMP_RET_USER_NOTIF),
};

#undef LOAD
#undef RETURN
#undef IF_EQUAL

}  // namespace

int load_filter() {
  sock_fprog filter = {
      .len = static_cast<unsigned short>(std::size(program)),
      .filter = const_cast<sock_filter*>(program),
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
