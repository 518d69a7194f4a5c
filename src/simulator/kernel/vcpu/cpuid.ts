/**
 * KVM_GET_SUPPORTED_CPUID, KVM_GET_EMULATED_CPUID, KVM_SET_CPUID2 and KVM_GET_CPUID2 are modelled on
 * arch/x86/kvm/cpuid.c.
 */
import { ADDRESS_SIZES_LEAF, findEntry } from '../../../abi/kvm/cpuid.ts';
import { type CpuidEntry, KVM_MAX_CPUID_ENTRIES } from '../../../abi/kvm/structs.ts';
import { dynamicXstate } from '../../../abi/kvm/xstate.ts';
import type { Answer, CpuidHeader, UserCpuid } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import { supportedFeatures } from '../cpuid/cpu-caps.ts';
import { emulatedCpuid } from '../cpuid/emulated.ts';
import { cpuidNow } from '../cpuid/runtime.ts';
import { supportedCpuid } from '../cpuid/supported.ts';
import type { Kernel } from '../kernel.ts';
import { resetPmu } from '../msrs/pmu.ts';
import type { Vcpu } from '../objects.ts';

/** A guest has this many physical address bits if its CPUID does not say. */
const defaultPhysicalBits = 36;

/** The call copies a list of entries out to user space. */
interface ListCall {
  readonly kernel: Kernel;
  readonly user: UserCpuid;
  readonly header: CopiedIn<CpuidHeader>;
  readonly entries: readonly CpuidEntry[];
  /** Number of entries that there must be room for. */
  readonly needs: number;
}

const lacksRoom = ({ header, needs }: ListCall) =>
  Math.min(header.value.nent, KVM_MAX_CPUID_ENTRIES) < needs;

/**
 * The number of entries is not returned where they do not fit, so a caller has to try a larger buffer.
 */
const listSteps: Steps<ListCall> = {
  'argument.unreadable': ({ header }) => header.fails(),
  'cpuid-list.no-room': ({ header }) => header.value.nent < 1,
  'cpuid-list.padding': ({ user, header }) =>
    user.hasCleanPadding?.(Math.min(header.value.nent, KVM_MAX_CPUID_ENTRIES)) === false,
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_GET_SUPPORTED_CPUID: allocate'),
  'cpuid-list.too-small': lacksRoom,
  'get-cpuid2.too-small': lacksRoom,
  'argument.unwritable': ({ user, header, entries }) => {
    const { padding } = header.value;
    return !user.writeEntries(entries) || !user.writeHeader({ nent: entries.length, padding });
  },
};

function listEntries(
  kernel: Kernel,
  request: 'KVM_GET_SUPPORTED_CPUID' | 'KVM_GET_EMULATED_CPUID' | 'KVM_GET_CPUID2',
  list: Pick<ListCall, 'user' | 'entries' | 'needs'>,
): Answer {
  const call = { ...list, kernel, header: new CopiedIn(() => list.user.readHeader()) };
  return firstRefusal(kernel, request, { steps: listSteps, call }) ?? done;
}

export function getSupportedCpuid(kernel: Kernel, user: UserCpuid): Answer {
  const entries = supportedCpuid(kernel.profile.platform);
  return listEntries(kernel, 'KVM_GET_SUPPORTED_CPUID', { user, entries, needs: entries.length });
}

/** The kernel demands room for one more entry, and that entry turns out to have nothing in it. */
export function getEmulatedCpuid(kernel: Kernel, user: UserCpuid): Answer {
  const entries = emulatedCpuid(kernel.profile.platform);
  const list = { user, entries, needs: entries.length + 1 };
  return listEntries(kernel, 'KVM_GET_EMULATED_CPUID', list);
}

/** Gives the entries of KVM_SET_CPUID2, with what KVM has to say in them itself. */
export function getCpuid2(kernel: Kernel, vcpu: Vcpu, user: UserCpuid): Answer {
  const entries = cpuidNow(kernel, vcpu);
  const list = { user, entries, needs: entries.length };
  return listEntries(kernel, 'KVM_GET_CPUID2', list);
}

interface SetCpuidCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly header: CopiedIn<CpuidHeader>;
  readonly entries: CopiedIn<readonly CpuidEntry[]>;
}

const setSteps: Steps<SetCpuidCall> = {
  'argument.unreadable': ({ header }) => header.fails(),
  'set-cpuid.too-many': ({ header }) => header.value.nent > KVM_MAX_CPUID_ENTRIES,
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_SET_CPUID2: allocate'),
  'set-cpuid.entries-unreadable': ({ entries }) => entries.fails(),
  // Once the guest has seen its CPUID, KVM takes only the same one again.
  'set-cpuid.changed-after-run': ({ kernel, vcpu, entries }) =>
    vcpu.entered && !isSameCpuid(cpuidNow(kernel, vcpu, entries.value), cpuidNow(kernel, vcpu)),
  'set-cpuid.address-width': ({ entries }) => {
    const addresses = findEntry(entries.value, ADDRESS_SIZES_LEAF);
    const virtualBits = ((addresses?.eax ?? 0) >>> 8) & 0xff;
    return ![0, 48, 57].includes(virtualBits);
  },
  // Any process may use what the host has.
  'set-cpuid.dynamic-xstate': ({ kernel, entries }) => {
    const { eax = 0 } = findEntry(entries.value, 0xd) ?? {};
    const { xcr0 } = supportedFeatures(kernel.profile.platform);
    return (BigInt(eax) & dynamicXstate & ~xcr0) !== 0n;
  },
};

export function setCpuid2(kernel: Kernel, vcpu: Vcpu, user: UserCpuid): Answer {
  const header = new CopiedIn(() => user.readHeader());
  const entries = new CopiedIn(() => user.readEntries(header.value.nent));
  const call = { kernel, vcpu, header, entries };
  const refused = firstRefusal(kernel, 'KVM_SET_CPUID2', { steps: setSteps, call });
  if (refused !== undefined) return refused;
  vcpu.cpuid = entries.value;
  if (!vcpu.entered) resetPmu(vcpu);
  return done;
}

function isSameCpuid(given: readonly CpuidEntry[], had: readonly CpuidEntry[]): boolean {
  const isSame = (one: CpuidEntry, other: CpuidEntry | undefined) =>
    other !== undefined &&
    one.function === other.function &&
    one.index === other.index &&
    one.flags === other.flags &&
    one.eax === other.eax &&
    one.ebx === other.ebx &&
    one.ecx === other.ecx &&
    one.edx === other.edx;
  return given.length === had.length && given.every((entry, i) => isSame(entry, had[i]));
}

/** Tells whether the address fits the guest's own physical address width. */
export function isLegalGpa({ cpuid }: Vcpu, gpa: bigint): boolean {
  const highest = findEntry(cpuid, 0x8000_0000);
  const addresses = findEntry(cpuid, ADDRESS_SIZES_LEAF);
  const says =
    highest !== undefined && highest.eax >= ADDRESS_SIZES_LEAF && addresses !== undefined;
  return gpa >> BigInt(says ? addresses.eax & 0xff : defaultPhysicalBits) === 0n;
}
