/* Of x86/xapic_state_test what runs no guest code. */
#define main whole_test
#include "x86/xapic_state_test.c"
#undef main

int main(void)
{
	(void)whole_test;
	test_apic_id();
	test_x2apic_id();
	return 0;
}
