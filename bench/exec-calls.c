// Times one call of each kind, and prints the median nanoseconds of each: `name nanoseconds`.
//
//   exec-calls BATCHES CALLS_PER_BATCH [bare]
//
// Run by itself, where /dev/kvm is real; under `tdctl exec`; and with `bare` under a supervisor that does
// nothing but answer every KVM ioctl with 12: what the kernel's part costs on this machine.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

// Splits: the child is supervised and returns, the parent supervises it and ends with it.
static void supervise_barely(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) exit(1);
  const pid_t child = fork();
  if (child == 0) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const int listener = (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
                                      SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    if (write(ends[1], &listener, sizeof listener) < 0) exit(1);
    char go;
    if (read(ends[1], &go, 1) != 1) exit(1);
    return;
  }
  int number;
  if (read(ends[0], &number, sizeof number) != sizeof number) exit(1);
  const int pidfd = (int)syscall(__NR_pidfd_open, child, 0);
  const int listener = (int)syscall(__NR_pidfd_getfd, pidfd, number, 0);
  if (listener < 0 || write(ends[0], "g", 1) != 1) exit(1);
  for (;;) {
    struct seccomp_notif call;
    memset(&call, 0, sizeof call);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) break;
    struct seccomp_notif_resp answer = {call.id, 12, 0, 0};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
  waitpid(child, NULL, 0);
  exit(0);
}

int main(int count, char **arguments) {
  const int batches = count > 1 ? atoi(arguments[1]) : 50;
  const int calls = count > 2 ? atoi(arguments[2]) : 200;
  if (count > 3) {
    supervise_barely();
    measure("bare", passed_through, batches, calls);
    return 0;
  }
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
