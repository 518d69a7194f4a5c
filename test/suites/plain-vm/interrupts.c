#include "client.h"

static void controllers(void) {
  int vm = new_vm();
  struct kvm_irqchip chip = {0};
  struct kvm_irq_level line = {.irq = 5, .level = 1};
  struct kvm_msi msi = {.address_lo = 0xfee00000, .data = 0x30};
  says("KVM_GET_IRQCHIP without one", ioctl(vm, KVM_GET_IRQCHIP, &chip));
  says("KVM_SET_IRQCHIP without one", ioctl(vm, KVM_SET_IRQCHIP, &chip));
  says("KVM_IRQ_LINE without one", ioctl(vm, KVM_IRQ_LINE, &line));
  says("KVM_SIGNAL_MSI without one", ioctl(vm, KVM_SIGNAL_MSI, &msi));
  says("KVM_CREATE_IRQCHIP", ioctl(vm, KVM_CREATE_IRQCHIP, 0));
  says("KVM_CREATE_IRQCHIP twice", ioctl(vm, KVM_CREATE_IRQCHIP, 0));
  static const char *const names[] = {"PIC 1", "PIC 2", "the I/O APIC", "a fourth"};
  for (unsigned id = 0; id < 4; id++) {
    char line[80];
    memset(&chip, 0, sizeof chip);
    chip.chip_id = id;
    snprintf(line, sizeof line, "KVM_GET_IRQCHIP of %s", names[id]);
    if (says(line, ioctl(vm, KVM_GET_IRQCHIP, &chip)) == 0) {
      for (size_t i = 0; i < sizeof chip.chip / 8; i += id == 2 ? 2 : 1) {
        uint64_t word;
        memcpy(&word, (char *)&chip.chip + i * 8, 8);
        if (word == 0) continue;
        snprintf(line, sizeof line, "%s at byte %zu", names[id], i * 8);
        value(line, word);
      }
    }
    snprintf(line, sizeof line, "KVM_SET_IRQCHIP of %s", names[id]);
    says(line, ioctl(vm, KVM_SET_IRQCHIP, &chip));
  }
  says("KVM_IRQ_LINE", ioctl(vm, KVM_IRQ_LINE, &line));
  says("KVM_IRQ_LINE_STATUS", ioctl(vm, KVM_IRQ_LINE_STATUS, &line));
  line.irq = 100;
  says("KVM_IRQ_LINE of a line that is not there", ioctl(vm, KVM_IRQ_LINE, &line));
  value("KVM_SIGNAL_MSI to nobody", ioctl(vm, KVM_SIGNAL_MSI, &msi));
  msi.flags = 2;
  says("KVM_SIGNAL_MSI with an unknown flag", ioctl(vm, KVM_SIGNAL_MSI, &msi));
  struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {24}};
  says("KVM_CAP_SPLIT_IRQCHIP beside it", ioctl(vm, KVM_ENABLE_CAP, &split));
  close(vm);

  vm = new_vm();
  split.args[0] = 5000;
  says("KVM_CAP_SPLIT_IRQCHIP of too many pins", ioctl(vm, KVM_ENABLE_CAP, &split));
  split.args[0] = 24;
  says("KVM_CAP_SPLIT_IRQCHIP", ioctl(vm, KVM_ENABLE_CAP, &split));
  says("KVM_CAP_SPLIT_IRQCHIP twice", ioctl(vm, KVM_ENABLE_CAP, &split));
  says("KVM_CREATE_IRQCHIP beside it", ioctl(vm, KVM_CREATE_IRQCHIP, 0));
  says("KVM_GET_IRQCHIP of a split one", ioctl(vm, KVM_GET_IRQCHIP, &chip));
  struct kvm_pit_config pit = {0};
  says("KVM_CREATE_PIT2 of a split one", ioctl(vm, KVM_CREATE_PIT2, &pit));
  close(vm);

  vm = new_vm();
  close(new_vcpu(vm));
  says("KVM_CREATE_IRQCHIP after a vCPU", ioctl(vm, KVM_CREATE_IRQCHIP, 0));
  says("KVM_CAP_SPLIT_IRQCHIP after a vCPU", ioctl(vm, KVM_ENABLE_CAP, &split));
  says("KVM_SET_BOOT_CPU_ID after a vCPU", ioctl(vm, KVM_SET_BOOT_CPU_ID, 0));
  close(vm);
}

struct routes {
  struct kvm_irq_routing head;
  struct kvm_irq_routing_entry entry[2];
};

static void routing(void) {
  struct routes none = {0};
  int vm = new_vm();
  says("KVM_SET_GSI_ROUTING without a controller", ioctl(vm, KVM_SET_GSI_ROUTING, &none));
  close(vm);
  vm = new_vm_with_irqchip();
  static const struct {
    const char *question;
    struct routes routes;
  } cases[] = {
      {"no routes", {{0}, {{0}}}},
      {"a flag", {{.flags = 1}, {{0}}}},
      {"an MSI", {{.nr = 1}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_MSI, .u.msi = {0xfee00000, 0, 0x30, {0}}}}}},
      {"a pin of the I/O APIC", {{.nr = 1}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {2, 23}}}}},
      {"a pin that is not there", {{.nr = 1}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {2, 24}}}}},
      {"a pin of a PIC that is not there", {{.nr = 1}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {0, 8}}}}},
      {"a chip that is not there", {{.nr = 1}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {3, 0}}}}},
      {"a type that is not there", {{.nr = 1}, {{.gsi = 5, .type = 9}}}},
      {"a number too high", {{.nr = 1}, {{.gsi = 4096, .type = KVM_IRQ_ROUTING_MSI}}}},
      {"a flag of a pin", {{.nr = 1}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .flags = 1, .u.irqchip = {2, 3}}}}},
      {"one line to two MSIs", {{.nr = 2}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_MSI}, {.gsi = 5, .type = KVM_IRQ_ROUTING_MSI}}}},
      {"one line to a PIC and the I/O APIC", {{.nr = 2}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {0, 5}}, {.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {2, 5}}}}},
      {"one line twice to the I/O APIC", {{.nr = 2}, {{.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {2, 5}}, {.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {2, 6}}}}},
      {"too many", {{.nr = 5000}, {{0}}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char line[80];
    struct routes routes = cases[i].routes;
    snprintf(line, sizeof line, "KVM_SET_GSI_ROUTING of %s", cases[i].question);
    says(line, ioctl(vm, KVM_SET_GSI_ROUTING, &routes));
  }
  close(vm);
}

void ask_interrupts(void) {
  about("interrupt controller");
  controllers();
  about("routing");
  routing();
}
