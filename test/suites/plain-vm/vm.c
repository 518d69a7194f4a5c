#include "client.h"

static void capabilities(void) {
  static const struct {
    const char *question;
    struct kvm_enable_cap cap;
  } cases[] = {
      {"an unknown one", {.cap = 100000}},
      {"one that is not enabled", {.cap = KVM_CAP_HLT}},
      {"with flags", {.cap = KVM_CAP_DISABLE_QUIRKS, .flags = 1}},
      {"DISABLE_QUIRKS", {.cap = KVM_CAP_DISABLE_QUIRKS, .args = {1}}},
      {"DISABLE_QUIRKS2", {.cap = KVM_CAP_DISABLE_QUIRKS2, .args = {1}}},
      {"DISABLE_QUIRKS2 of an unknown one", {.cap = KVM_CAP_DISABLE_QUIRKS2, .args = {1ull << 40}}},
      {"X2APIC_API", {.cap = KVM_CAP_X2APIC_API, .args = {3}}},
      {"X2APIC_API of an unknown flag", {.cap = KVM_CAP_X2APIC_API, .args = {1 << 10}}},
      {"X86_DISABLE_EXITS of an unknown one", {.cap = KVM_CAP_X86_DISABLE_EXITS, .args = {1 << 20}}},
      {"EXCEPTION_PAYLOAD", {.cap = KVM_CAP_EXCEPTION_PAYLOAD, .args = {1}}},
      {"X86_USER_SPACE_MSR", {.cap = KVM_CAP_X86_USER_SPACE_MSR, .args = {7}}},
      {"X86_USER_SPACE_MSR of an unknown reason", {.cap = KVM_CAP_X86_USER_SPACE_MSR, .args = {1 << 10}}},
      {"EXIT_HYPERCALL", {.cap = KVM_CAP_EXIT_HYPERCALL, .args = {1 << 12}}},
      {"EXIT_HYPERCALL of an unknown one", {.cap = KVM_CAP_EXIT_HYPERCALL, .args = {1}}},
      {"EXIT_ON_EMULATION_FAILURE", {.cap = KVM_CAP_EXIT_ON_EMULATION_FAILURE, .args = {1}}},
      {"EXIT_ON_EMULATION_FAILURE of 2", {.cap = KVM_CAP_EXIT_ON_EMULATION_FAILURE, .args = {2}}},
      {"MAX_VCPU_ID of 0", {.cap = KVM_CAP_MAX_VCPU_ID, .args = {0}}},
      {"MAX_VCPU_ID of too many", {.cap = KVM_CAP_MAX_VCPU_ID, .args = {100000}}},
      {"MAX_VCPU_ID of 8", {.cap = KVM_CAP_MAX_VCPU_ID, .args = {8}}},
      {"MAX_VCPU_ID of 9 after that", {.cap = KVM_CAP_MAX_VCPU_ID, .args = {9}}},
      {"DIRTY_LOG_RING of an odd size", {.cap = KVM_CAP_DIRTY_LOG_RING, .args = {5000}}},
      {"DIRTY_LOG_RING of nothing", {.cap = KVM_CAP_DIRTY_LOG_RING, .args = {0}}},
      {"DIRTY_LOG_RING", {.cap = KVM_CAP_DIRTY_LOG_RING, .args = {16 * 4096}}},
      {"DIRTY_LOG_RING twice", {.cap = KVM_CAP_DIRTY_LOG_RING, .args = {16 * 4096}}},
      {"HALT_POLL", {.cap = KVM_CAP_HALT_POLL, .args = {1000}}},
      {"VM_DISABLE_NX_HUGE_PAGES", {.cap = KVM_CAP_VM_DISABLE_NX_HUGE_PAGES}},
      {"SGX_ATTRIBUTE of no file", {.cap = KVM_CAP_SGX_ATTRIBUTE, .args = {1000}}},
      {"X86_TRIPLE_FAULT_EVENT", {.cap = KVM_CAP_X86_TRIPLE_FAULT_EVENT, .args = {1}}},
      {"X86_SMM", {.cap = KVM_CAP_X86_SMM}},
  };
  int vm = new_vm();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct kvm_enable_cap cap = cases[i].cap;
    says(cases[i].question, ioctl(vm, KVM_ENABLE_CAP, &cap));
  }
  says("KVM_CREATE_VCPU of id 8", ioctl(vm, KVM_CREATE_VCPU, 8));
  says("KVM_CREATE_VCPU of id 7", ioctl(vm, KVM_CREATE_VCPU, 7));
  close(vm);
}

static void filters(void) {
  int vm = new_vm();
  uint8_t bitmap[8] = {0};
  struct kvm_msr_filter filter = {.flags = 1};
  says("KVM_X86_SET_MSR_FILTER that denies all", ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter));
  filter.ranges[0] = (struct kvm_msr_filter_range){.flags = KVM_MSR_FILTER_READ, .nmsrs = 8, .base = 0x40000000, .bitmap = bitmap};
  says("KVM_X86_SET_MSR_FILTER", ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter));
  filter.flags = 2;
  says("KVM_X86_SET_MSR_FILTER with an unknown flag", ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter));
  filter.flags = 0;
  filter.ranges[0].flags = 8;
  says("KVM_X86_SET_MSR_FILTER with a range of an unknown kind", ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter));
  filter.ranges[0].flags = KVM_MSR_FILTER_READ;
  filter.ranges[0].nmsrs = 100000;
  says("KVM_X86_SET_MSR_FILTER with a range too long", ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter));
  struct kvm_pmu_event_filter *events = pages(1);
  says("KVM_SET_PMU_EVENT_FILTER of no event", ioctl(vm, KVM_SET_PMU_EVENT_FILTER, events));
  events->action = 5;
  says("KVM_SET_PMU_EVENT_FILTER of an unknown action", ioctl(vm, KVM_SET_PMU_EVENT_FILTER, events));
  events->action = 0;
  events->flags = 1 << 20;
  says("KVM_SET_PMU_EVENT_FILTER of an unknown flag", ioctl(vm, KVM_SET_PMU_EVENT_FILTER, events));
  close(vm);
}

static void devices(void) {
  int vm = new_vm();
  struct kvm_create_device device = {.type = KVM_DEV_TYPE_VFIO, .flags = KVM_CREATE_DEVICE_TEST};
  says("whether KVM_CREATE_DEVICE makes VFIO's", ioctl(vm, KVM_CREATE_DEVICE, &device));
  device.flags = 0;
  if (says("KVM_CREATE_DEVICE of VFIO", ioctl(vm, KVM_CREATE_DEVICE, &device)) == 0) {
    struct kvm_device_attr group = {.group = 1, .attr = 1, .addr = 8};
    says("its file of a bad address", ioctl(device.fd, KVM_SET_DEVICE_ATTR, &group));
    says("whether it takes a file", ioctl(device.fd, KVM_HAS_DEVICE_ATTR, &group));
    group.group = 9;
    says("whether it has an unknown group", ioctl(device.fd, KVM_HAS_DEVICE_ATTR, &group));
    says("an unknown ioctl of it", ioctl(device.fd, _IO(KVMIO, 0xff), 0));
  }
  says("KVM_CREATE_DEVICE of VFIO twice", ioctl(vm, KVM_CREATE_DEVICE, &device));
  device.type = KVM_DEV_TYPE_XICS;
  says("KVM_CREATE_DEVICE of another machine's", ioctl(vm, KVM_CREATE_DEVICE, &device));
  device.type = 1000;
  says("KVM_CREATE_DEVICE of an unknown type", ioctl(vm, KVM_CREATE_DEVICE, &device));
  struct kvm_device_attr attribute = {.group = 1000};
  says("KVM_HAS_DEVICE_ATTR of a VM", ioctl(vm, KVM_HAS_DEVICE_ATTR, &attribute));
  close(vm);
}

void ask_vm(void) {
  about("capability of a VM");
  capabilities();
  about("filter");
  filters();
  about("device");
  devices();
  about("VM");
  int vm = new_vm();
  says("an unknown ioctl", ioctl(vm, _IO(KVMIO, 0xff), 0));
  says("KVM_RUN", ioctl(vm, KVM_RUN, 0));
  says("KVM_CREATE_VCPU of id 100000", ioctl(vm, KVM_CREATE_VCPU, 100000));
  says("KVM_CREATE_VCPU", ioctl(vm, KVM_CREATE_VCPU, 0));
  says("KVM_CREATE_VCPU twice", ioctl(vm, KVM_CREATE_VCPU, 0));
  says("KVM_SET_BOOT_CPU_ID", ioctl(vm, KVM_SET_BOOT_CPU_ID, 0));
  struct kvm_enc_region region = {.addr = 0x1000, .size = 0x1000};
  says("KVM_MEMORY_ENCRYPT_REG_REGION", ioctl(vm, KVM_MEMORY_ENCRYPT_REG_REGION, &region));
  int statistics = says("KVM_GET_STATS_FD", ioctl(vm, KVM_GET_STATS_FD, 0));
  uint32_t header[6] = {0};
  value("bytes of its header", read(statistics, header, sizeof header));
  value("where its name is", header[3]);
  value("bytes of its name", header[1]);
  close(statistics);
  close(vm);
}
