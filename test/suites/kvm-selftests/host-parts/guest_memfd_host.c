/* Of guest_memfd_test what runs no guest code, each part for itself. */
#define main whole_test
#include "guest_memfd_test.c"
#undef main
#include <sys/wait.h>

#define ON_A_FILE(part)							\
static void part_##part(struct kvm_vm *vm, u64 flags)			\
{									\
	gmem_test(part, vm, flags);					\
}

ON_A_FILE(file_read_write)
ON_A_FILE(mmap_not_supported)
ON_A_FILE(mmap_supported)
ON_A_FILE(mmap_cow)
ON_A_FILE(mbind)
ON_A_FILE(numa_allocation)
ON_A_FILE(fault_overflow)
ON_A_FILE(fault_private)
ON_A_FILE(file_size)
ON_A_FILE(fallocate)
ON_A_FILE(invalid_punch_hole)

static void part_collapse(struct kvm_vm *vm, u64 flags)
{
	__gmem_test(collapse, vm, flags, get_trans_hugepagesz());
}

static void part_invalid_binding(struct kvm_vm *vm, u64 flags)
{
	gmem_test_vm(invalid_binding, vm, flags);
}

static void part_multiple(struct kvm_vm *vm, u64 flags)
{
	test_create_guest_memfd_multiple(vm);
}

static void part_invalid_sizes(struct kvm_vm *vm, u64 flags)
{
	test_create_guest_memfd_invalid_sizes(vm, flags);
}

static void part_flags(struct kvm_vm *vm, u64 flags)
{
	test_guest_memfd_flags(vm);
}

#define SHARED (GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)
#define PART(part, flags) { #part, part_##part, flags }

static const struct {
	const char *name;
	void (*run)(struct kvm_vm *vm, u64 flags);
	u64 flags;
} parts[] = {
	PART(flags, 0),
	PART(multiple, 0),
	PART(invalid_sizes, 0),
	PART(file_read_write, 0),
	PART(mmap_not_supported, 0),
	PART(file_size, 0),
	PART(fallocate, 0),
	PART(invalid_punch_hole, 0),
	PART(invalid_binding, 0),
	PART(invalid_sizes, GUEST_MEMFD_FLAG_MMAP),
	PART(fault_private, GUEST_MEMFD_FLAG_MMAP),
	PART(mmap_cow, GUEST_MEMFD_FLAG_MMAP),
	PART(mbind, GUEST_MEMFD_FLAG_MMAP),
	PART(mmap_supported, SHARED),
	PART(fault_overflow, SHARED),
	PART(numa_allocation, SHARED),
	PART(collapse, SHARED),
	PART(mmap_cow, SHARED),
	PART(fallocate, SHARED),
};

static const char *kind_of(u64 flags)
{
	return flags == 0 ? "private" : flags == SHARED ? "shared" : "mmap";
}

/* In a process, because an assertion that fails ends it; and with a VM of its own, because a VM is its maker's. */
static bool passes(int part)
{
	int status;

	fflush(NULL);
	if (fork() == 0) {
		struct kvm_vm *vm = vm_create_barebones();

		parts[part].run(vm, parts[part].flags);
		kvm_vm_free(vm);
		exit(0);
	}
	wait(&status);
	return status == 0;
}

int main(void)
{
	(void)whole_test;
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_GUEST_MEMFD));
	page_size = getpagesize();
	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(parts));
	for (int part = 0; part < ARRAY_SIZE(parts); part++)
		ksft_test_result(passes(part), "%s.%s\n", kind_of(parts[part].flags), parts[part].name);
	ksft_finished();
}
