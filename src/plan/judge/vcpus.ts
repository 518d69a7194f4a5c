import {
  type BindingLimit,
  bindingLimit,
  limitNames,
} from '../../../machines/td-lifecycle/limits.ts';
import { TdctlError } from '../../errors/index.ts';
import { vcpuLimits } from '../../host/facts.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { always, factsOf, type JudgedHost, type Objection } from './objection.ts';

/** Where KVM was not asked, the CPUs present bind, as on every released kernel with TDX. */
export function vcpuLimitOf(host: JudgedHost): BindingLimit | undefined {
  const facts = factsOf(host);
  if (facts) return bindingLimit(vcpuLimits({ facts, maxVcpus: host.offer?.maxVcpus }));
  const { presentCpus } = host;
  return presentCpus === undefined ? undefined : { name: 'presentCpus', value: presentCpus };
}

/** Refuses what no VM of this host could have. */
export function vcpuObjections(spec: TrustDomain, host: JudgedHost): Objection[] {
  const limit = vcpuLimitOf(host);
  if (limit === undefined || spec.maxVcpus <= limit.value) return [];
  const { name, value } = limit;
  const text = `${spec.maxVcpus} vCPUs asked for, ${value} possible: ${limitNames[name]}`;
  return [{ reasons: [always('vcpus', text)], error: () => vcpuError(spec, host, limit) }];
}

function vcpuError(spec: TrustDomain, host: JudgedHost, { name, value }: BindingLimit): TdctlError {
  const field = spec.vcpus > value ? 'spec.vcpus' : 'spec.maxVcpus';
  const asked = spec.vcpus > value ? spec.vcpus : spec.maxVcpus;
  return new TdctlError({
    code: 'TDCTL_E_VCPU_LIMIT',
    op: 'check the vCPU limits',
    message: `${host.name} gives a TD at most ${value} vCPUs: ${limitNames[name]} binds`,
    details: [
      spec.source.finding({ field, problem: `${asked} vCPUs asked for, ${value} possible` }),
    ],
    place: spec.source.locate(field),
    hint: `ask for at most ${value}, or choose a larger host with --host`,
  });
}
