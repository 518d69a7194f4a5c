#include "client.h"

int kvm;
static const char *subject = "";

void about(const char *next) { subject = next; }

long says(const char *question, long result) {
  if (result < 0) printf("%s: %s = %s\n", subject, question, strerrorname_np(errno));
  else printf("%s: %s = ok\n", subject, question);
  return result;
}

void value(const char *what, uint64_t is) { printf("%s: %s is 0x%llx\n", subject, what, (unsigned long long)is); }

int new_vm(void) { return ioctl(kvm, KVM_CREATE_VM, 0); }

int new_vm_with_irqchip(void) {
  int vm = new_vm();
  if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) != 0) perror("KVM_CREATE_IRQCHIP");
  return vm;
}

int new_vcpu(int vm) { return ioctl(vm, KVM_CREATE_VCPU, 0); }

struct kvm_run *run_page_of(int vcpu) {
  return mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
}

void *pages(size_t count) {
  return mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(void) {
  kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) {
    perror("/dev/kvm");
    return 1;
  }
  ask_system();
  ask_memory();
  ask_interrupts();
  ask_events();
  ask_timers();
  ask_vm();
  ask_registers();
  ask_vcpu();
  ask_run();
  return 0;
}
