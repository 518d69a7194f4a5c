/** Says an answer in the numbers of this host, where they are known. */
import type { RefusalFacts } from '../../../../machines/td-lifecycle/index.ts';
import { bindingLimit, limitNames } from '../../../../machines/td-lifecycle/limits.ts';
import { type HostFacts, vcpuLimits } from '../../../host/facts.ts';
import type { RefusalAnswer } from './request.ts';

/** What is known of the host at the moment of the refusal. */
export interface KnownFacts extends RefusalFacts {
  readonly host?: HostFacts | undefined;
  /** max_vcpus of struct kvm_tdx_init_vm, as the VMM gave it. */
  readonly initVmMaxVcpus?: number | undefined;
}

type Narrowing = (facts: KnownFacts) => Partial<Omit<RefusalAnswer, 'id'>> | undefined;

const noKeySlot: Narrowing = ({ keySlots }) => {
  if (keySlots === undefined) return undefined;
  const { total, used } = keySlots;
  if (used >= total) {
    return {
      meaning:
        total === 1
          ? 'the one key slot (HKID) of the host is taken by another TD'
          : `all ${total} key slots (HKIDs) of the host are taken by other TDs`,
    };
  }
  return {
    meaning:
      `no key slot (HKID) is free, though the host counts only ${used} of ${total} in use: ` +
      'the others are being torn down, or are leaked',
    next: 'wait for teardowns to end; look for "leaked" in the kernel log: only a reboot helps then',
  };
};

const vcpuLimit =
  (refused: string): Narrowing =>
  ({ host, perVmVcpus }) => {
    if (host === undefined) return undefined;
    const limits = vcpuLimits({ facts: host, maxVcpus: perVmVcpus });
    const { name, value: limit } = bindingLimit(limits);
    return {
      meaning:
        `${refused}: this host gives one TD at most ${limit}: ${limitNames[name]} ` +
        `(${host.platform.presentCpus} CPUs present, KVM allows ${host.kvm.maxVcpus})`,
      next: `ask for at most ${limit} vCPUs (spec.vcpus, spec.maxVcpus)`,
    };
  };

const maxVcpusField =
  (refused: string): Narrowing =>
  ({ initVmMaxVcpus: named }) =>
    named === undefined
      ? undefined
      : { meaning: `max_vcpus of struct kvm_tdx_init_vm is ${named}, and ${refused}` };

/** A VMM for kernels without the field leaves its reserved fields elsewhere. */
const otherStruct: Narrowing = ({ initVmMaxVcpus: named }) =>
  named === undefined
    ? undefined
    : {
        meaning:
          'a reserved field of struct kvm_tdx_init_vm is not 0; this kernel has max_vcpus in that ' +
          `struct, where the VMM gives ${named}`,
        next:
          'use a VMM that is built for this struct: those for kernels without max_vcpus, such as ' +
          'upstream-7.3, have other fields there (`tdctl kernels`)',
      };

const lookElsewhere =
  'look for what else works on this TD or keeps the TDX module busy, and for "SEAMCALL" in the kernel log; then start again';

/** Who has repeated a request to no end is not told to repeat it. */
const repeatedInVain: Narrowing = ({ repeatedMs }) =>
  repeatedMs === undefined
    ? undefined
    : { meaning: 'the kernel asks for it to be repeated', next: lookElsewhere };

/** What the module says of a moment is no advice after many. */
function afterRepeating({ id, meaning, next }: RefusalAnswer, ms: number) {
  return {
    meaning: `${meaning}; it was repeated for ${ms / 1000} s and never went on`,
    next: id.startsWith('status.') ? lookElsewhere : next,
  };
}

const narrowings: Readonly<Record<string, Narrowing>> = {
  'init-mem-region.not-repeated': repeatedInVain,
  'init-mem-region.module-busy': repeatedInVain,
  'finalize-vm.busy': repeatedInVain,
  'init-vm.no-key-slot': noKeySlot,
  'init-vm.no-key-slot-yet': noKeySlot,
  'init-vm.reserved': otherStruct,
  'init-vm.max-vcpus-too-large': maxVcpusField('may be at most KVM_MAX_VCPUS'),
  'init-vm.max-vcpus-mismatch': maxVcpusField('KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) has set another'),
  'init-vm.max-vcpus-too-small': maxVcpusField('more vCPUs exist'),
  'create-vcpu.limit': vcpuLimit('the VM has as many vCPUs as it may have'),
  'create-vcpu.refused': vcpuLimit(
    'the VM has as many vCPUs as it may have, or the vCPU id is above its limit',
  ),
  'td-params.max-vcpus-refused': ({ host, perVmVcpus }) => {
    const module = host?.module?.maxVcpusPerTd;
    if (host === undefined || module === undefined) return undefined;
    const limits = vcpuLimits({ facts: host, maxVcpus: perVmVcpus });
    const asked = bindingLimit({ ...limits, module: null }).value;
    return {
      meaning:
        `the module (${host.module?.release}) gives one TD at most ${module} vCPUs, ` +
        `and KVM asked for ${asked}`,
    };
  },
  'init-vm.not-built': ({ host }) => {
    if (host === undefined) return undefined;
    const { presentCpus, onlineCpus } = host.platform;
    if (onlineCpus < presentCpus) {
      return {
        meaning:
          `${presentCpus - onlineCpus} of ${presentCpus} CPUs are offline, perhaps all of one ` +
          'package; or the TDX module failed',
      };
    }
    return {
      meaning: 'a call to the TDX module failed, and the VM cannot be used (no CPU is offline)',
      next: 'look for "SEAMCALL" in the kernel log: `dmesg | tdctl explain -`',
    };
  },
  'td-params.eptp-refused': ({ host }) => {
    const widths = host?.platform.guestAddressWidths ?? [];
    if (widths.length === 0) return undefined;
    return { next: `choose spec.gpaw among what this host has: ${widths.join(', ')}` };
  },
};

/** What the numbers of this host make of an answer, or undefined where they add nothing. */
export function narrowing(id: string, facts: KnownFacts): ReturnType<Narrowing> {
  return narrowings[id]?.(facts);
}

export function narrow(answer: RefusalAnswer, facts: KnownFacts | undefined): RefusalAnswer {
  if (facts === undefined) return answer;
  const narrowed = { ...answer, ...narrowing(answer.id, facts) };
  const { repeatedMs } = facts;
  return repeatedMs === undefined
    ? narrowed
    : { ...narrowed, ...afterRepeating(narrowed, repeatedMs) };
}
