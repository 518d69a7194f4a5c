#include "client.h"

static void pit(void) {
  int vm = new_vm();
  struct kvm_pit_config config = {0};
  struct kvm_pit_state2 state = {0};
  struct kvm_reinject_control reinject = {0};
  says("KVM_CREATE_PIT2 without a controller", ioctl(vm, KVM_CREATE_PIT2, &config));
  says("KVM_GET_PIT2 without one", ioctl(vm, KVM_GET_PIT2, &state));
  says("KVM_SET_PIT2 without one", ioctl(vm, KVM_SET_PIT2, &state));
  says("KVM_GET_PIT without one", ioctl(vm, KVM_GET_PIT, &state));
  says("KVM_REINJECT_CONTROL without one", ioctl(vm, KVM_REINJECT_CONTROL, &reinject));
  close(vm);
  vm = new_vm_with_irqchip();
  says("KVM_CREATE_PIT2", ioctl(vm, KVM_CREATE_PIT2, &config));
  says("KVM_CREATE_PIT2 twice", ioctl(vm, KVM_CREATE_PIT2, &config));
  says("KVM_CREATE_PIT beside it", ioctl(vm, KVM_CREATE_PIT, 0));
  if (says("KVM_GET_PIT2", ioctl(vm, KVM_GET_PIT2, &state)) == 0) {
    for (int i = 0; i < 3; i++) {
      const struct kvm_pit_channel_state *channel = &state.channels[i];
      char line[80];
      snprintf(line, sizeof line, "channel %d: count", i);
      value(line, channel->count);
      snprintf(line, sizeof line, "channel %d: gate, mode, bcd", i);
      value(line, channel->gate << 16 | channel->mode << 8 | channel->bcd);
    }
    value("flags", state.flags);
  }
  state.channels[0].count = 0x1234;
  says("KVM_SET_PIT2", ioctl(vm, KVM_SET_PIT2, &state));
  ioctl(vm, KVM_GET_PIT2, &state);
  value("channel 0: count after that", state.channels[0].count);
  says("KVM_GET_PIT", ioctl(vm, KVM_GET_PIT, &state));
  says("KVM_SET_PIT", ioctl(vm, KVM_SET_PIT, &state));
  says("KVM_REINJECT_CONTROL", ioctl(vm, KVM_REINJECT_CONTROL, &reinject));
  close(vm);
}

static void clocks(void) {
  int vm = new_vm();
  struct kvm_clock_data first = {0}, second = {0};
  says("KVM_GET_CLOCK", ioctl(vm, KVM_GET_CLOCK, &first));
  usleep(20000);
  ioctl(vm, KVM_GET_CLOCK, &second);
  value("that it runs", second.clock > first.clock);
  struct kvm_clock_data set = {.clock = 1ull << 40};
  says("KVM_SET_CLOCK", ioctl(vm, KVM_SET_CLOCK, &set));
  ioctl(vm, KVM_GET_CLOCK, &second);
  value("that it goes on from there", second.clock >= 1ull << 40 && second.clock < (1ull << 40) + 60000000000);
  set.flags = 1 << 10;
  says("KVM_SET_CLOCK with an unknown flag", ioctl(vm, KVM_SET_CLOCK, &set));
  int vcpu = new_vcpu(vm);
  value("that KVM_GET_TSC_KHZ is not 0", ioctl(vcpu, KVM_GET_TSC_KHZ, 0) > 0);
  says("KVM_SET_TSC_KHZ of 0", ioctl(vcpu, KVM_SET_TSC_KHZ, 0));
  says("KVM_KVMCLOCK_CTRL without a clock", ioctl(vcpu, KVM_KVMCLOCK_CTRL, 0));
  close(vcpu);
  close(vm);
}

void ask_timers(void) {
  about("PIT");
  pit();
  about("clock");
  clocks();
}
