import type { VcpuLimits } from '../../machines/td-lifecycle/context.ts';
import { type BindingLimit, bindingLimit, limitNames } from '../../machines/td-lifecycle/limits.ts';
import { TdctlError } from '../errors/index.ts';
import type { HostFacts } from '../host/facts.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

/** What a host says of itself before there is a VM; `perVm` is only known on a VM fd. */
export function vcpuLimits(facts: HostFacts, perVm: number | null = null): VcpuLimits {
  return {
    module: facts.module?.maxVcpusPerTd ?? null,
    presentCpus: facts.kernel.presentCpusBind ? facts.platform.presentCpus : null,
    kvm: facts.kvm.maxVcpus,
    perVm,
  };
}

/** Refuses what no VM of this host could have, before the first ioctl. */
export function checkVcpus(
  spec: TrustDomain,
  facts: HostFacts,
  perVm: number | null = null,
): BindingLimit {
  const binding = bindingLimit(vcpuLimits(facts, perVm));
  if (spec.maxVcpus <= binding.value) return binding;
  const field = spec.vcpus > binding.value ? 'spec.vcpus' : 'spec.maxVcpus';
  const asked = spec.vcpus > binding.value ? spec.vcpus : spec.maxVcpus;
  throw new TdctlError({
    code: 'TDCTL_E_VCPU_LIMIT',
    op: 'check the vCPU limits',
    message: `${facts.name} gives a TD at most ${binding.value} vCPUs: ${limitNames[binding.name]} binds`,
    details: [
      spec.source.finding({
        field,
        problem: `${asked} vCPUs asked for, ${binding.value} possible`,
      }),
    ],
    place: spec.source.locate(field),
    hint: `ask for at most ${binding.value}, or choose a larger host with --host`,
  });
}
