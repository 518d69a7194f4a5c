/**
 * The one judgement of a TD on a host: plan, run, rehearse, fit and host all ask here, so that what one of them
 * refuses no other lets pass.
 */
import { TdctlError } from '../../errors/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { initVmObjections } from '../init-vm.ts';
import { bootObjections } from './boot.ts';
import { slotObjections } from './key-slots.ts';
import { memoryObjections } from './memory.ts';
import { always, type JudgedHost, type Objection } from './objection.ts';
import type { PreparedTd } from './prepare.ts';
import { vcpuObjections } from './vcpus.ts';

/** Every objection, those first that no change of the spec cures. */
export function judgeTd(td: PreparedTd, host: JudgedHost): Objection[] {
  const { spec } = td;
  const { offer, obstacles = [] } = host;
  return [
    ...obstacles.map((text) => obstacle(text, host)),
    ...vcpuObjections(spec, host),
    ...td.objections,
    ...bootObjections(td, host),
    ...(offer ? initVmObjections(spec, offer) : []),
    ...tscObjections(spec, host),
    ...slotObjections(host),
    ...memoryObjections(td, host),
  ];
}

function obstacle(text: string, { name }: JudgedHost): Objection {
  return {
    reasons: [always('tdx', text)],
    error: () =>
      new TdctlError({
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        op: 'judge a host',
        message: `${name} offers no TDs: ${text}`,
        hint: '`tdctl doctor` says what is missing and how to mend it',
      }),
  };
}

function tscObjections(spec: TrustDomain, { name, offer, tscScaling }: JudgedHost): Objection[] {
  const own = offer?.facts.platform.tscKhz;
  const { tscKhz } = spec;
  if (tscKhz === undefined || own === undefined || tscScaling !== false || tscKhz === own) {
    return [];
  }
  const problem = `${tscKhz / 1000} MHz asked for; the host runs at ${own / 1000} MHz and KVM cannot scale`;
  const field = 'spec.tsc';
  return [
    {
      reasons: [always('tsc', problem)],
      error: () =>
        new TdctlError({
          code: 'TDCTL_E_SPEC_INVALID',
          op: 'prepare KVM_SET_TSC_KHZ',
          place: spec.source.locate(field),
          message: `${name} cannot give this TD the clock that its file asks for`,
          details: [spec.source.finding({ field, problem })],
          hint: 'leave `tsc` out, or choose a host whose KVM scales the TSC',
        }),
    },
  ];
}
