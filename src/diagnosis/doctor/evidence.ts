/** Answers questions that several checks ask of the facts. */
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import type { CheckInput } from './check.ts';
import type { DoctorFacts } from './facts.ts';
import { knownValue } from './reading.ts';

const tdxBit = 1 << vmTypes.KVM_X86_TDX_VM;

function vmTypeMask({ kvm }: DoctorFacts): number | undefined {
  return knownValue(kvm.answers)?.capabilities.KVM_CAP_VM_TYPES;
}

/** The answer is undefined where KVM was not asked. */
export function offersTdx(facts: DoctorFacts): boolean | undefined {
  const mask = vmTypeMask(facts);
  return mask === undefined ? undefined : (mask & tdxBit) !== 0;
}

export function vmTypesText(facts: DoctorFacts): string | undefined {
  const mask = vmTypeMask(facts);
  return mask === undefined ? undefined : `KVM_CAP_VM_TYPES 0x${mask.toString(16)}`;
}

/** Tells what shows that the TDX module runs; undefined where nothing does. */
export function moduleRuns(input: CheckInput): string | undefined {
  const { tdxHost, keySlots, found } = input;
  if (tdxHost.version.state === 'read') return `${tdxHost.version.from} is there`;
  if (offersTdx(input)) return `KVM offers TDX VMs (${vmTypesText(input)})`;
  if (found.initialized !== undefined) return `kernel log: "${found.initialized}"`;
  const slots = knownValue(keySlots.capacity);
  return slots !== undefined && slots > 0 ? `${keySlots.capacity.from}: tdx ${slots}` : undefined;
}

/** Reads `6.8.0-1028-intel` as [6, 8]. */
export function kernelVersion({ kernel }: DoctorFacts): readonly [number, number] | undefined {
  const match = /^(\d+)\.(\d+)/.exec(knownValue(kernel.release) ?? '');
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

/** Linux 6.16 is the first release that can run TDs. */
export function isBeforeTdx([major, minor]: readonly [number, number]): boolean {
  return major < 6 || (major === 6 && minor < 16);
}

export function quoteLine(line: string): string {
  return `kernel log: "${line.length <= 120 ? line : `${line.slice(0, 117)}...`}"`;
}

export const yes = (value: string | undefined) => value === 'Y' || value === '1';
