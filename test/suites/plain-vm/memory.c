#include "client.h"

struct slot {
  const char *question;
  struct kvm_userspace_memory_region region;
};

static void *memory;

static void set(int vm, struct slot slot) {
  if (slot.region.userspace_addr != 0) slot.region.userspace_addr += (uintptr_t)memory - 1;
  says(slot.question, ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot.region));
}

// An address of 1 is the beginning of the memory.
static void slots(void) {
  static const struct slot cases[] = {
      {"deleting what is not there", {.slot = 0}},
      {"half a page", {.slot = 0, .memory_size = 0x800, .userspace_addr = 1}},
      {"a guest address within a page", {.slot = 0, .guest_phys_addr = 8, .memory_size = PAGE, .userspace_addr = 1}},
      {"a user address within a page", {.slot = 0, .memory_size = PAGE, .userspace_addr = 9}},
      {"an unknown flag", {.slot = 0, .flags = 1u << 5, .memory_size = PAGE, .userspace_addr = 1}},
      {"guest_memfd's flag", {.slot = 0, .flags = 1u << 2, .memory_size = PAGE, .userspace_addr = 1}},
      {"the end of all addresses", {.slot = 0, .guest_phys_addr = -PAGE, .memory_size = PAGE, .userspace_addr = 1}},
      {"past the end of all addresses", {.slot = 0, .guest_phys_addr = -PAGE, .memory_size = 2 * PAGE, .userspace_addr = 1}},
      {"a slot number too high", {.slot = 32764, .memory_size = PAGE, .userspace_addr = 1}},
      {"the highest slot number", {.slot = 32763, .guest_phys_addr = 1 << 30, .memory_size = PAGE, .userspace_addr = 1}},
      {"an address space too many", {.slot = 2 << 16, .memory_size = PAGE, .userspace_addr = 1}},
      {"four pages", {.slot = 0, .memory_size = 4 * PAGE, .userspace_addr = 1}},
      {"the same again", {.slot = 0, .memory_size = 4 * PAGE, .userspace_addr = 1}},
      {"another size", {.slot = 0, .memory_size = 2 * PAGE, .userspace_addr = 1}},
      {"other memory", {.slot = 0, .memory_size = 4 * PAGE, .userspace_addr = 1 + PAGE}},
      {"moved", {.slot = 0, .guest_phys_addr = 8 * PAGE, .memory_size = 4 * PAGE, .userspace_addr = 1}},
      {"overlapping another slot", {.slot = 1, .guest_phys_addr = 11 * PAGE, .memory_size = 2 * PAGE, .userspace_addr = 1}},
      {"beside it", {.slot = 1, .guest_phys_addr = 12 * PAGE, .memory_size = 2 * PAGE, .userspace_addr = 1}},
      {"moved onto another", {.slot = 1, .guest_phys_addr = 10 * PAGE, .memory_size = 2 * PAGE, .userspace_addr = 1}},
      {"read-only, of one that was not", {.slot = 1, .flags = KVM_MEM_READONLY, .guest_phys_addr = 12 * PAGE, .memory_size = 2 * PAGE, .userspace_addr = 1}},
      {"a read-only slot", {.slot = 2, .flags = KVM_MEM_READONLY, .guest_phys_addr = 20 * PAGE, .memory_size = PAGE, .userspace_addr = 1}},
      {"dirty log of a slot", {.slot = 1, .flags = KVM_MEM_LOG_DIRTY_PAGES, .guest_phys_addr = 12 * PAGE, .memory_size = 2 * PAGE, .userspace_addr = 1}},
      {"deleted", {.slot = 2, .guest_phys_addr = 20 * PAGE}},
      {"deleted twice", {.slot = 2, .guest_phys_addr = 20 * PAGE}},
  };
  int vm = new_vm();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) set(vm, cases[i]);
  struct kvm_userspace_memory_region kernel = {.slot = 3, .guest_phys_addr = 1 << 24, .memory_size = PAGE, .userspace_addr = 1ull << 63};
  says("an address of the kernel", ioctl(vm, KVM_SET_USER_MEMORY_REGION, &kernel));
  kernel.userspace_addr = (1ull << 47) - PAGE;
  says("the last page of all addresses", ioctl(vm, KVM_SET_USER_MEMORY_REGION, &kernel));
  says("a bad address", ioctl(vm, KVM_SET_USER_MEMORY_REGION, 8));
  close(vm);
}

static void dirty_log(void) {
  uint64_t bitmap = ~0ull;
  int vm = new_vm();
  struct kvm_dirty_log log = {.dirty_bitmap = &bitmap};
  says("KVM_GET_DIRTY_LOG of no slot", ioctl(vm, KVM_GET_DIRTY_LOG, &log));
  log.slot = 40000;
  says("KVM_GET_DIRTY_LOG of a slot too high", ioctl(vm, KVM_GET_DIRTY_LOG, &log));
  struct kvm_userspace_memory_region region = {.slot = 1, .memory_size = 4 * PAGE, .userspace_addr = (uintptr_t)memory};
  ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
  log.slot = 1;
  says("KVM_GET_DIRTY_LOG of a slot without", ioctl(vm, KVM_GET_DIRTY_LOG, &log));
  region.flags = KVM_MEM_LOG_DIRTY_PAGES;
  says("turning it on", ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
  says("KVM_GET_DIRTY_LOG", ioctl(vm, KVM_GET_DIRTY_LOG, &log));
  value("the bitmap", bitmap);
  log.dirty_bitmap = (void *)8;
  says("KVM_GET_DIRTY_LOG to a bad address", ioctl(vm, KVM_GET_DIRTY_LOG, &log));
  struct kvm_clear_dirty_log clear = {.slot = 1, .num_pages = 4, .dirty_bitmap = &bitmap};
  says("KVM_CLEAR_DIRTY_LOG without the capability", ioctl(vm, KVM_CLEAR_DIRTY_LOG, &clear));
  struct kvm_enable_cap manual = {.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = {1}};
  says("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", ioctl(vm, KVM_ENABLE_CAP, &manual));
  says("KVM_CLEAR_DIRTY_LOG", ioctl(vm, KVM_CLEAR_DIRTY_LOG, &clear));
  clear.first_page = 1;
  says("KVM_CLEAR_DIRTY_LOG from an odd page", ioctl(vm, KVM_CLEAR_DIRTY_LOG, &clear));
  clear.first_page = 64;
  says("KVM_CLEAR_DIRTY_LOG past the end", ioctl(vm, KVM_CLEAR_DIRTY_LOG, &clear));
  manual.args[0] = 2;
  says("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 of the second flag alone", ioctl(vm, KVM_ENABLE_CAP, &manual));
  manual.args[0] = 4;
  says("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 of an unknown flag", ioctl(vm, KVM_ENABLE_CAP, &manual));
  says("KVM_RESET_DIRTY_RINGS without a ring", ioctl(vm, KVM_RESET_DIRTY_RINGS, 0));
  close(vm);
}

static void pages_of_the_mmu(void) {
  int vm = new_vm();
  says("KVM_SET_NR_MMU_PAGES of 10", ioctl(vm, KVM_SET_NR_MMU_PAGES, 10));
  says("KVM_SET_NR_MMU_PAGES of 64", ioctl(vm, KVM_SET_NR_MMU_PAGES, 64));
  value("KVM_GET_NR_MMU_PAGES", ioctl(vm, KVM_GET_NR_MMU_PAGES, 0));
  says("KVM_SET_TSS_ADDR", ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000));
  says("KVM_SET_TSS_ADDR too high", ioctl(vm, KVM_SET_TSS_ADDR, 0xfffffffful));
  uint64_t address = 0xfffbc000;
  says("KVM_SET_IDENTITY_MAP_ADDR", ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &address));
  int vcpu = new_vcpu(vm);
  says("KVM_SET_IDENTITY_MAP_ADDR with a vCPU", ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &address));
  close(vcpu);
  close(vm);
}

void ask_memory(void) {
  memory = pages(16);
  about("slot");
  slots();
  about("dirty log");
  dirty_log();
  about("memory");
  pages_of_the_mmu();
}
