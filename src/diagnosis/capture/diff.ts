/** Tells in what two hosts differ, and what a TD that runs on A would meet on B. */
import { attributeNames } from '../../abi/tdx/attributes.ts';
import { xfamNames } from '../../abi/tdx/xfam.ts';
import type { DoctorFacts } from '../doctor/facts.ts';
import { cpuidDifferences } from './cpuid-diff.ts';
import type { Difference } from './difference.ts';
import { type HostSummary, hostSummary } from './summary.ts';

type Value = string | number | bigint | boolean | undefined;

interface Rule {
  readonly field: string;
  readonly value: (host: HostSummary) => Value;
  readonly show?: (value: NonNullable<Value>) => string;
  readonly judge: (
    a: NonNullable<Value>,
    b: NonNullable<Value>,
  ) => Pick<Difference, 'effect' | 'meaning'>;
}

const info = (meaning: string) => () => ({ effect: 'info' as const, meaning });
const changes = (meaning: string) => () => ({ effect: 'changes' as const, meaning });

/** Less on B blocks; more on B does no harm. */
const needsAsMuch =
  (whenLess: string, whenMore: string): Rule['judge'] =>
  (a, b) =>
    b < a ? { effect: 'blocks', meaning: whenLess } : { effect: 'info', meaning: whenMore };

/** A bit that B lacks blocks a TD that has it set. */
const needsBits =
  (names: (mask: bigint) => string[], what: string): Rule['judge'] =>
  (a, b) => {
    const lost = names(BigInt(a) & ~BigInt(b));
    const gained = names(BigInt(b) & ~BigInt(a));
    return lost.length > 0
      ? {
          effect: 'blocks',
          meaning: `a TD with ${lost.join(', ')} is refused on B: ${what} is fixed at INIT_VM`,
        }
      : { effect: 'info', meaning: `B offers ${gained.join(', ')} too; a TD of A does not use it` };
  };

const hexOf = (value: NonNullable<Value>) => `0x${BigInt(value).toString(16)}`;

/** The rules are in the order of the answer, which has first what forbids a move. */
const rules: readonly Rule[] = [
  {
    field: 'tdx.offered',
    value: (host) => host.offersTdx,
    show: (value) => (value ? 'yes' : 'no'),
    judge: (_, b) =>
      b
        ? { effect: 'info', meaning: 'B runs TDs; A does not' }
        : { effect: 'blocks', meaning: 'B runs no TDs: `tdctl doctor --root B` says why' },
  },
  {
    field: 'limits.vcpus',
    value: (host) => host.maxVcpusOfTd,
    judge: needsAsMuch(
      'a TD with more vCPUs than B allows cannot be built there; MAX_VCPUS is fixed at INIT_VM',
      'KVM writes the higher limit into TD_PARAMS.MAX_VCPUS, so a TD built on B has it',
    ),
  },
  {
    field: 'limits.present-cpus',
    value: (host) => host.presentCpus,
    judge: info('KVM takes the vCPU limit of a TD from the CPUs present'),
  },
  {
    field: 'attributes',
    value: (host) => host.supportedAttributes,
    show: hexOf,
    judge: needsBits(attributeNames, 'ATTRIBUTES'),
  },
  {
    field: 'xfam',
    value: (host) => host.supportedXfam,
    show: hexOf,
    judge: needsBits(xfamNames, 'XFAM'),
  },
  {
    field: 'guest-address-bits',
    value: (host) => host.guestAddressWidths?.at(-1),
    judge: needsAsMuch(
      'a TD with a guest address width of 52 is refused on B: no 5-level EPT',
      'B can also give 52 bits; a TD of A has 48',
    ),
  },
  {
    field: 'tsc',
    value: (host) => host.tscKhz,
    show: (value) => `${Number(value) / 1000} MHz`,
    judge: changes(
      'a TD built without `tsc` gets the frequency of its host; set it to have the same on both',
    ),
  },
  {
    field: 'module.release',
    value: (host) => host.moduleRelease,
    judge: changes(
      'TCB and fixed CPUID bits may differ: a verifier that pins the module (MRSEAM, TCB SVN) sees another one',
    ),
  },
  {
    field: 'key-slots.capacity',
    value: (host) => host.keySlots,
    // One TD fits all the same, so fewer slots block nothing.
    judge: (a, b) => ({
      effect: 'info',
      meaning: `B holds ${b < a ? 'fewer' : 'more'} TDs at a time`,
    }),
  },
  {
    field: 'memory',
    value: ({ memory }) => memory && Math.round(Number(memory.totalBytes / 1024n) / 1024),
    show: (value) => `${(Number(value) / 1024).toFixed(1)} GiB`,
    judge: info('the memory of a TD is pinned: compare it with what is free'),
  },
  {
    field: 'cpu.model',
    value: (host) => host.cpuModel,
    judge: changes('CPUID 1 and the FMSPC of quotes differ: a verifier sees another platform'),
  },
  {
    field: 'cpu.microcode',
    value: (host) => host.microcode,
    judge: changes('part of the TCB that a quote reports'),
  },
  {
    field: 'kernel.release',
    value: (host) => host.kernelRelease,
    judge: info('the KVM rules for building a TD may differ: `tdctl doctor` checks each host'),
  },
  {
    field: 'kernel.command-line',
    value: (host) => host.commandLine,
    judge: info('of the parameters about TDX, KVM, hibernation and kexec'),
  },
];

export function diffHosts(a: DoctorFacts, b: DoctorFacts): readonly Difference[] {
  const [left, right] = [hostSummary(a), hostSummary(b)];
  return [
    ...rules.flatMap((rule) => compare(rule, rule.value(left), rule.value(right))),
    ...capabilityDifferences(left, right),
    ...cpuidDifferences(left, right),
  ];
}

/** Compares each KVM_CHECK_EXTENSION by itself; a host that was not asked says nothing. */
function capabilityDifferences(a: HostSummary, b: HostSummary): Difference[] {
  const [left, right] = [a.capabilities, b.capabilities];
  if (left === undefined || right === undefined) return [];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].sort().flatMap((name) => {
    const [one, two] = [left[name] ?? 0, right[name] ?? 0];
    if (one === two) return [];
    const meaning = 'what KVM_CHECK_EXTENSION answers on /dev/kvm';
    return [{ field: `kvm.${name}`, a: String(one), b: String(two), effect: 'info', meaning }];
  });
}

function compare({ field, show = String, judge }: Rule, a: Value, b: Value): Difference[] {
  if (a === b) return [];
  const text = (value: Value) => (value === undefined ? 'not known' : show(value));
  if (a === undefined || b === undefined) {
    return [{ field, a: text(a), b: text(b), effect: 'info', meaning: 'known of one host only' }];
  }
  return [{ field, a: text(a), b: text(b), ...judge(a, b) }];
}
