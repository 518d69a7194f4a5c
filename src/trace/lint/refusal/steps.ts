/**
 * Which check of a kernel it was, where several give one errno: the first that the trace says holds.
 * The numbers are the steps of `tdctl explain` (kernel-abi 7.1).
 */
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { CapabilitiesStruct } from '../../../simulator/index.ts';
import type { Situation } from './situation.ts';

interface StepRule {
  readonly errno: string;
  readonly step: number;
  /** A text says more: which bits, which leaves. */
  readonly holds: (situation: Situation) => boolean | string | undefined;
  /** Where the step asks for another one than the answer to the errno. */
  readonly remedy?: string;
}

export interface DecidedStep {
  readonly step: number;
  readonly detail: string | undefined;
  readonly remedy: string | undefined;
}

export function decidedStep(
  { request, errno }: { readonly request: string; readonly errno: string },
  situation: Situation,
): DecidedStep | undefined {
  for (const rule of stepRules[request] ?? []) {
    if (rule.errno !== errno) continue;
    const holds = rule.holds(situation);
    if (holds === undefined || holds === false) continue;
    const detail = typeof holds === 'string' ? holds : undefined;
    return { step: rule.step, detail, remedy: rule.remedy };
  }
  return undefined;
}

const einval = (step: number, holds: StepRule['holds'], remedy?: string): StepRule => ({
  errno: 'EINVAL',
  step,
  holds,
  ...(remedy === undefined ? {} : { remedy }),
});

const fromCapabilities = 'take only what KVM_TDX_CAPABILITIES of the host lists';

const hwErrorSet = einval(3, ({ args }) => (args.big('hw_error') ?? 0n) !== 0n);
const flagsSet = (step: number) => einval(step, ({ args }) => (args.big('flags') ?? 0n) !== 0n);
/** 5: a command on a vCPU. */
const notBeingBuilt = einval(5, ({ vm }) => vm !== undefined && vm.state !== 'INITIALIZED');

const stepRules: Readonly<Record<string, readonly StepRule[]>> = {
  KVM_TDX_CAPABILITIES: [hwErrorSet, flagsSet(4)],
  KVM_TDX_INIT_VM: [
    hwErrorSet,
    einval(
      6,
      ({ vm }) => vm !== undefined && vm.state !== 'UNINITIALIZED',
      'initialise a TD once; another one needs another KVM_CREATE_VM',
    ),
    flagsSet(7),
    einval(11, ({ args }) => args.has('reserved'), 'clear the whole struct before it is filled'),
    einval(12, ({ args }) => args.has('padding'), 'clear the whole struct before it is filled'),
    einval(
      15,
      ({ args, offer }) => beyond(args.big('attributes'), offer?.supportedAttributes),
      fromCapabilities,
    ),
    einval(
      16,
      ({ args, offer }) => beyond(args.big('xfam'), offer?.supportedXfam),
      fromCapabilities,
    ),
    einval(
      17,
      ({ args }) => wrongAddressWidth(args.cpuid()),
      'add an entry for 80000008h with 48 or 52 in EAX[23:16]',
    ),
    einval(18, ({ args }) => unsupportedFeatures(args.cpuid()), 'clear HLE, RTM and WAITPKG'),
    einval(
      19,
      ({ args, offer }) => notConfigurable(args.cpuid(), offer),
      'send one entry for each leaf that KVM_TDX_CAPABILITIES of the host lists, and no other',
    ),
  ],
  KVM_CREATE_VCPU: [
    einval(
      7,
      ({ vm }) => vm?.irqchip === 'none',
      'enable KVM_CAP_SPLIT_IRQCHIP before the first vCPU',
    ),
    {
      errno: 'EIO',
      step: 6,
      holds: ({ vm }) => vm?.state === 'UNINITIALIZED' && 'KVM_TDX_INIT_VM has not been done',
      remedy: 'call KVM_TDX_INIT_VM before the first vCPU is made',
    },
    {
      errno: 'EIO',
      step: 6,
      holds: ({ vm }) => vm?.state === 'RUNNABLE' && 'the TD is finalised',
    },
  ],
  KVM_TDX_INIT_VCPU: [
    hwErrorSet,
    notBeingBuilt,
    flagsSet(6),
    einval(7, ({ vcpu }) => vcpu?.isInitialized),
    einval(
      8,
      ({ vcpu }) => vcpu !== undefined && lacksX2apic(vcpu.cpuid),
      'call KVM_SET_CPUID2 with x2APIC (leaf 1, ECX bit 21) before',
    ),
  ],
  KVM_TDX_INIT_MEM_REGION: [
    hwErrorSet,
    notBeingBuilt,
    einval(6, ({ vcpu }) => vcpu?.isInitialized === false),
    einval(7, ({ args }) => ((args.big('flags') ?? 0n) & ~1n) !== 0n),
    einval(9, ({ args }) => args.has('source_addr') || args.big('nr_pages') === 0n),
    einval(9, ({ args }) => (args.big('gpa') ?? 0n) % 4096n !== 0n),
  ],
  KVM_TDX_FINALIZE_VM: [
    hwErrorSet,
    einval(6, ({ vm }) => vm !== undefined && vm.state !== 'INITIALIZED'),
  ],
  KVM_TDX_GET_CPUID: [hwErrorSet, notBeingBuilt],
  KVM_SET_TSC_KHZ: [einval(2, ({ vm }) => vm !== undefined && vm.vcpus.size > 0)],
  KVM_RUN: [
    einval(2, ({ args }) => args.has('sync_regs')),
    einval(
      4,
      ({ vm, vcpu }) =>
        vcpu?.isInitialized === false || (vm !== undefined && vm.state !== 'RUNNABLE'),
    ),
  ],
};

/** Bits that are not offered, in hexadecimal. */
function beyond(asked: bigint | undefined, offered: bigint | undefined): string | undefined {
  if (asked === undefined || offered === undefined || (asked & ~offered) === 0n) return undefined;
  return `0x${(asked & ~offered).toString(16)} is not among 0x${offered.toString(16)}`;
}

function wrongAddressWidth(entries: readonly CpuidEntry[] | undefined): string | undefined {
  if (entries === undefined) return undefined;
  const entry = entries.find((candidate) => candidate.function === 0x8000_0008);
  if (entry === undefined) return 'there is no entry for 80000008h';
  const width = (entry.eax >>> 16) & 0xff;
  return width === 48 || width === 52 ? undefined : `EAX[23:16] is ${width}`;
}

const HLE_RTM = (1 << 4) | (1 << 11);
const WAITPKG = 1 << 5;

function unsupportedFeatures(entries: readonly CpuidEntry[] | undefined): boolean | undefined {
  const entry = entries?.find((candidate) => candidate.function === 7 && candidate.index === 0);
  return entry && ((entry.ebx & HLE_RTM) !== 0 || (entry.ecx & WAITPKG) !== 0);
}

/** Leaves that the module does not list, and those that are there twice. */
function notConfigurable(
  entries: readonly CpuidEntry[] | undefined,
  offer: CapabilitiesStruct | undefined,
): string | undefined {
  if (entries === undefined || offer === undefined) return undefined;
  const name = ({ function: leaf, index }: CpuidEntry) => `${leaf.toString(16)}.${index}`;
  const offered = new Set(offer.cpuid.map(name));
  const names = entries.map(name);
  const unknown = names.filter((each) => !offered.has(each));
  const twice = names.filter((each, at) => names.indexOf(each) !== at);
  if (unknown.length > 0) return `not configurable on this host: ${listed(unknown)}`;
  return twice.length > 0 ? `there twice: ${listed(twice)}` : undefined;
}

const mostListed = 8;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostListed).join(', ');
  return names.length > mostListed ? `${shown} and ${names.length - mostListed} more` : shown;
}

const X2APIC = 1 << 21;

function lacksX2apic(cpuid: readonly CpuidEntry[] | 'unknown' | undefined): boolean | string {
  if (cpuid === 'unknown') return false;
  if (cpuid === undefined) return 'KVM_SET_CPUID2 has not been called';
  return !cpuid.some((entry) => entry.function === 1 && (entry.ecx & X2APIC) !== 0);
}
