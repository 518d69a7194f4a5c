/* Of x86/kvm_pv_test what runs no guest code. */
#define main whole_test
#include "x86/kvm_pv_test.c"
#undef main

int main(void)
{
	(void)whole_test;
	test_pv_unhalt();
	return 0;
}
