import { type BindingLimit, bindingLimit, limitNames } from '../../machines/td-lifecycle/limits.ts';
import { TdctlError } from '../errors/index.ts';
import { type HostFacts, vcpuLimits } from '../host/facts.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

/** Refuses what no VM of this host could have, before the first ioctl. */
export function checkVcpus(spec: TrustDomain, facts: HostFacts, maxVcpus?: number): BindingLimit {
  const binding = bindingLimit(vcpuLimits({ facts, maxVcpus }));
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
