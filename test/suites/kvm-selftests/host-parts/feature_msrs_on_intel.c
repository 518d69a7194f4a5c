/* The whole of x86/feature_msrs_test, for a KVM on a CPU of Intel whatever the CPU of this machine is. */
#define main whole_test
#include "x86/feature_msrs_test.c"
#undef main

int main(int argc, char *argv[])
{
	host_cpu_is_intel = true;
	host_cpu_is_amd_compatible = false;
	whole_test(argc, argv);
	return 0;
}
