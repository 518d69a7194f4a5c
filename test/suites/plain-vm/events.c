#include "client.h"

static void irqfds(void) {
  int vm = new_vm();
  int event = eventfd(0, EFD_CLOEXEC), other = eventfd(0, EFD_CLOEXEC), file = open("/dev/null", O_RDWR);
  struct kvm_irqfd irqfd = {.fd = event, .gsi = 5};
  says("KVM_IRQFD without a controller", ioctl(vm, KVM_IRQFD, &irqfd));
  close(vm);
  vm = new_vm_with_irqchip();
  says("KVM_IRQFD", ioctl(vm, KVM_IRQFD, &irqfd));
  says("KVM_IRQFD twice", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd.gsi = 6;
  says("KVM_IRQFD of another line", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
  says("taking away another line", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd.gsi = 5;
  says("taking it away", ioctl(vm, KVM_IRQFD, &irqfd));
  says("taking it away twice", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd = (struct kvm_irqfd){.fd = file, .gsi = 5};
  says("KVM_IRQFD of no eventfd", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd.fd = 1000;
  says("KVM_IRQFD of no file", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd = (struct kvm_irqfd){.fd = event, .gsi = 5, .flags = 8};
  says("KVM_IRQFD with an unknown flag", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd = (struct kvm_irqfd){.fd = event, .gsi = 5000};
  says("KVM_IRQFD of a line too high", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd = (struct kvm_irqfd){.fd = event, .gsi = 7, .flags = KVM_IRQFD_FLAG_RESAMPLE, .resamplefd = other};
  says("KVM_IRQFD with resampling", ioctl(vm, KVM_IRQFD, &irqfd));
  irqfd = (struct kvm_irqfd){.fd = event, .gsi = 8, .flags = KVM_IRQFD_FLAG_RESAMPLE, .resamplefd = file};
  says("KVM_IRQFD with resampling by no eventfd", ioctl(vm, KVM_IRQFD, &irqfd));
  close(vm);
}

static void ioeventfds(void) {
  int vm = new_vm();
  int event = eventfd(0, EFD_CLOEXEC), file = open("/dev/null", O_RDWR);
  const struct {
    const char *question;
    struct kvm_ioeventfd io;
  } cases[] = {
      {"KVM_IOEVENTFD", {.addr = 0x1000, .len = 4, .fd = event, .datamatch = 1, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH}},
      {"KVM_IOEVENTFD twice", {.addr = 0x1000, .len = 4, .fd = event, .datamatch = 1, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH}},
      {"KVM_IOEVENTFD of another value", {.addr = 0x1000, .len = 4, .fd = event, .datamatch = 2, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH}},
      {"KVM_IOEVENTFD of any value, beside it", {.addr = 0x1000, .len = 4, .fd = event}},
      {"KVM_IOEVENTFD of a port", {.addr = 0x60, .len = 1, .fd = event, .flags = KVM_IOEVENTFD_FLAG_PIO}},
      {"KVM_IOEVENTFD of any length", {.addr = 0x2000, .fd = event}},
      {"KVM_IOEVENTFD of any length and one value", {.addr = 0x3000, .fd = event, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH}},
      {"KVM_IOEVENTFD of three bytes", {.addr = 0x4000, .len = 3, .fd = event}},
      {"KVM_IOEVENTFD over the end", {.addr = -2ull, .len = 4, .fd = event}},
      {"KVM_IOEVENTFD with an unknown flag", {.addr = 0x4000, .len = 4, .fd = event, .flags = 1 << 5}},
      {"KVM_IOEVENTFD of no eventfd", {.addr = 0x4000, .len = 4, .fd = file}},
      {"KVM_IOEVENTFD of no file", {.addr = 0x4000, .len = 4, .fd = 1000}},
      {"taking away another value", {.addr = 0x1000, .len = 4, .fd = event, .datamatch = 3, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN}},
      {"taking away another length", {.addr = 0x1000, .len = 2, .fd = event, .datamatch = 1, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN}},
      {"taking it away", {.addr = 0x1000, .len = 4, .fd = event, .datamatch = 1, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN}},
      {"taking it away twice", {.addr = 0x1000, .len = 4, .fd = event, .datamatch = 1, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct kvm_ioeventfd io = cases[i].io;
    says(cases[i].question, ioctl(vm, KVM_IOEVENTFD, &io));
  }
  close(vm);
}

static void coalesced(void) {
  int vm = new_vm();
  struct kvm_coalesced_mmio_zone zone = {.addr = 0x1000, .size = 0x100};
  says("KVM_REGISTER_COALESCED_MMIO", ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone));
  says("KVM_REGISTER_COALESCED_MMIO twice", ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone));
  says("KVM_UNREGISTER_COALESCED_MMIO", ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, &zone));
  says("KVM_UNREGISTER_COALESCED_MMIO of none", ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, &zone));
  zone.pio = 1;
  says("KVM_REGISTER_COALESCED_MMIO of ports", ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone));
  zone.pio = 2;
  says("KVM_REGISTER_COALESCED_MMIO of neither", ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone));
  close(vm);
}

void ask_events(void) {
  about("irqfd");
  irqfds();
  about("ioeventfd");
  ioeventfds();
  about("coalesced");
  coalesced();
}
