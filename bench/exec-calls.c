// Times one call of each kind, and prints the median nanoseconds of each: `name nanoseconds`.
//
//   exec-calls BATCHES CALLS_PER_BATCH
//
// Run by itself where /dev/kvm is real, and under `tdctl exec`.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KVM_GET_API_VERSION 0xae00
#define KVM_CREATE_VM 0xae01
#define KVM_CHECK_EXTENSION 0xae03
#define KVM_CAP_MAX_VCPUS 66

static int kvm, vm, other;

static void plain_call(void) { syscall(SYS_getppid); }
// A KVM request on a file that is not ours: the supervisor lets it through.
static void passed_through(void) { ioctl(other, KVM_GET_API_VERSION, 0); }
static void answered_by_thread(void) { ioctl(kvm, KVM_GET_API_VERSION, 0); }
static void answered_by_machine(void) { ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS); }
static void open_and_close(void) { close(open("/dev/null", O_RDONLY)); }

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int compare(const void *one, const void *other_one) {
  const double a = *(const double *)one, b = *(const double *)other_one;
  return (a > b) - (a < b);
}

static void measure(const char *name, void (*call)(void), int batches, int calls) {
  double *samples = calloc((size_t)batches, sizeof *samples);
  for (int batch = -batches / 10; batch < batches; batch++) {
    const uint64_t start = now();
    for (int n = 0; n < calls; n++) call();
    if (batch >= 0) samples[batch] = (double)(now() - start) / calls;
  }
  qsort(samples, (size_t)batches, sizeof *samples, compare);
  printf("%s %.0f\n", name, samples[batches / 2]);
  free(samples);
}

int main(int count, char **arguments) {
  const int batches = count > 1 ? atoi(arguments[1]) : 50;
  const int calls = count > 2 ? atoi(arguments[2]) : 200;
  other = eventfd(0, 0);
  kvm = open("/dev/kvm", O_RDWR);
  measure("system-call", plain_call, batches, calls);
  measure("open-close", open_and_close, batches, calls);
  measure("pass-through", passed_through, batches, calls);
  if (kvm < 0) return 0;
  vm = ioctl(kvm, KVM_CREATE_VM, 0);
  measure("thread", answered_by_thread, batches, calls);
  measure("machine", answered_by_machine, batches, calls);
  return vm < 0;
}
