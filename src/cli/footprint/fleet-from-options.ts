/** The fleet of the command line: one VM, as a plain one and as a TD. */
import { TdctlError } from '../../errors/index.ts';
import {
  type Fleet,
  groupProblems,
  kvmMaxVcpusRange,
  type VmGroup,
} from '../../plan/fleet/index.ts';

const flags = {
  vcpus: '--vcpus',
  maxVcpus: '--max-vcpus',
  maxVcpuId: '--max-vcpu-id',
  vms: '--vms',
  type: '--type',
  kvmMaxVcpus: '--kvm-max-vcpus',
} as const;

export type FleetOptions = { readonly [Name in keyof typeof flags]?: string | undefined };

/** @throws TdctlError TDCTL_E_USAGE naming the first option that is wrong. */
export function fleetFromOptions(options: FleetOptions): Fleet {
  if (options.vcpus === undefined) {
    throw usage(
      flags.vcpus,
      'there is nothing to compare',
      'say which VMs: --vcpus N or --fleet FILE',
    );
  }
  const { min, max } = kvmMaxVcpusRange;
  const vcpus = wholeNumber(flags.vcpus, options.vcpus, { min: 1 });
  const kvmMaxVcpus = wholeNumber(
    flags.kvmMaxVcpus,
    options.kvmMaxVcpus ?? String(kvmMaxVcpusRange.default),
    { min, max },
  );
  const vm = {
    count: wholeNumber(flags.vms, options.vms ?? '1', { min: 1 }),
    vcpus,
    maxVcpus: maxVcpusFrom(options.maxVcpus ?? String(vcpus)),
    maxVcpuId:
      options.maxVcpuId === undefined
        ? undefined
        : wholeNumber(flags.maxVcpuId, options.maxVcpuId, { min: 0 }),
  };
  const groups = typesFrom(options.type, vm.maxVcpus).map(
    (type): VmGroup => ({ name: type === 'td' ? 'TD' : 'plain VM', type, ...vm }),
  );
  for (const group of groups) {
    const [first] = groupProblems(group, { kvmMaxVcpus });
    if (first) {
      const flag = flags[first.field === 'count' ? 'vms' : first.field];
      throw usage(flag, first.problem, 'change it, or --kvm-max-vcpus if the kernel is built so');
    }
  }
  return { name: 'the command line', kvmMaxVcpus, groups };
}

function maxVcpusFrom(text: string): number | 'unbounded' {
  return text === 'unbounded' ? text : wholeNumber(flags.maxVcpus, text, { min: 1 });
}

/** A TD cannot be unbounded, so nobody who asks for that means a TD without saying so. */
function typesFrom(type: string | undefined, maxVcpus: VmGroup['maxVcpus']): VmGroup['type'][] {
  if (type === 'plain' || type === 'td') return [type];
  if (type !== undefined) {
    throw usage(flags.type, `there is no type of VM \`${type}\``, 'use plain or td');
  }
  return maxVcpus === 'unbounded' ? ['plain'] : ['plain', 'td'];
}

/** This is far above any kernel's limit, and far below where a number loses digits. */
const mostOfAnything = 1_000_000;

function wholeNumber(
  flag: string,
  text: string,
  { min, max = mostOfAnything }: { readonly min: number; readonly max?: number },
): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usage(flag, `\`${text}\` is no whole number from ${min} to ${max}`);
}

function usage(
  place: string,
  message: string,
  hint = '`tdctl footprint --help` shows what there is',
) {
  return new TdctlError({ code: 'TDCTL_E_USAGE', op: 'compare footprints', place, message, hint });
}
