/* Of set_memory_region_test what runs no guest code. */
#define main whole_test
#include "set_memory_region_test.c"
#undef main

int main(void)
{
	(void)whole_test;
	test_invalid_memory_region_flags();
	test_add_max_memory_regions();
	if (!(kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(KVM_X86_SW_PROTECTED_VM)))
		return 0;
	test_add_private_memory_region();
	test_add_overlapping_private_memory_regions();
	return 0;
}
