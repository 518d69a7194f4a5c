/*
 * What bench/guest.mjs compares the addon with: KVM_RUN in a loop, from C.
 * `guest-exits`: for every line on stdin, runs a real-mode guest that reads an absent port, for as many
 * exits as the line says, and prints the nanoseconds of CPU that took.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(void) {
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) fail("open /dev/kvm");
  int vm = ioctl(kvm, KVM_CREATE_VM, 0UL);
  if (vm < 0) fail("KVM_CREATE_VM");
  size_t size = 0x10000;
  unsigned char* memory =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  /* 1: in $0x80, %al; jmp 1b */
  memcpy(memory + 0x1000, "\xe4\x80\xeb\xfc", 4);
  struct kvm_userspace_memory_region slot = {.memory_size = size,
                                             .userspace_addr = (unsigned long)memory};
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0) fail("KVM_SET_USER_MEMORY_REGION");
  int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0UL);
  if (vcpu < 0) fail("KVM_CREATE_VCPU");
  int run_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0UL);
  struct kvm_run* run = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (run == MAP_FAILED) fail("mmap");
  struct kvm_sregs sregs;
  if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0) fail("KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0) fail("KVM_SET_SREGS");
  struct kvm_regs regs = {.rip = 0x1000, .rflags = 2};
  if (ioctl(vcpu, KVM_SET_REGS, &regs) < 0) fail("KVM_SET_REGS");
  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    long exits = atol(line);
    long long start = now_ns();
    for (long at = 0; at < exits; at++) {
      if (ioctl(vcpu, KVM_RUN, 0UL) < 0) fail("KVM_RUN");
      if (run->exit_reason != KVM_EXIT_IO) return 3;
      memset((char*)run + run->io.data_offset, 0xff, run->io.size);
    }
    printf("%lld\n", now_ns() - start);
    fflush(stdout);
  }
  return 0;
}
