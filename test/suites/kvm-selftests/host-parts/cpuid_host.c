/* Of x86/cpuid_test what runs no guest code. */
#define main whole_test
#include "x86/cpuid_test.c"
#undef main

int main(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_main);

	(void)whole_test;
	compare_cpuids(kvm_get_supported_cpuid(), vcpu->cpuid);
	test_get_cpuid2(vcpu);
	kvm_vm_free(vm);
	return 0;
}
