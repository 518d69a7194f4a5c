/* Of x86/msrs_test all but the guest, in whose place the host writes what it would have written. */
#include <stdint.h>
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"

static u64 guest_says(struct kvm_vcpu *vcpu, struct ucall *uc);

#define vcpu_run(vcpu) do { } while (0)
#define get_ucall(vcpu, uc) guest_says(vcpu, uc)
#define main whole_test
#include "x86/msrs_test.c"
#undef main

/* Each MSR has two turns of the guest: in the first it writes the MSR, in the second it sees the reset value. */
static u64 guest_says(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	static unsigned int turns[3];
	const struct kvm_msr *msr = &msrs[idx];
	const bool writes = turns[vcpu->id]++ % 2 == 0 && vcpu_cpuid_has(vcpu, msr->feature);

	*uc = (struct ucall){ .cmd = UCALL_SYNC };
	if (writes)
		vcpu_set_msr(vcpu, msr->index, msr->write_val);
	if (writes)
		uc->args[1] = fixup_rdmsr_val(msr->index, msr->write_val);
	else if (turns[vcpu->id] % 2 == 0)
		uc->args[1] = msr->reset_val;
	return uc->cmd;
}

int main(void)
{
	/* The KVM that is asked is one on a CPU of Intel, whatever the CPU of this machine is. */
	host_cpu_is_intel = true;
	host_cpu_is_amd_compatible = false;
	whole_test();
	return 0;
}
