/*
 * What bench/native.mjs compares the addon with: the same ioctls from C.
 * `native-create-vcpus VCPUS`: for every line on stdin, creates a default VM with so many vCPUs,
 * closes all, and prints the nanoseconds that took.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define KVM_CREATE_VM 0xAE01
#define KVM_CREATE_VCPU 0xAE41

static void fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void create_and_close(int kvm, int vcpus, int* fds) {
  int vm = ioctl(kvm, KVM_CREATE_VM, 0UL);
  if (vm < 0) fail("KVM_CREATE_VM");
  for (int id = 0; id < vcpus; id++) {
    fds[id] = ioctl(vm, KVM_CREATE_VCPU, (unsigned long)id);
    if (fds[id] < 0) fail("KVM_CREATE_VCPU");
  }
  for (int id = 0; id < vcpus; id++) close(fds[id]);
  close(vm);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  int vcpus = atoi(argv[1]);
  int* fds = calloc(vcpus, sizeof *fds);
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) fail("open /dev/kvm");
  char line[16];
  while (fgets(line, sizeof line, stdin)) {
    long long start = now_ns();
    create_and_close(kvm, vcpus, fds);
    printf("%lld\n", now_ns() - start);
    fflush(stdout);
  }
  return 0;
}
