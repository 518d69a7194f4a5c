/**
 * The one thing that a simulated host cannot hide from a program: the CPUID instruction, which no
 * supervisor sees. A VMM compares what KVM and the TDX module offer with what the CPU itself says (QEMU:
 * family, model and stepping, which the module must find its own; the width of physical
 * addresses), so the simulated CPU takes these from the CPU that the program runs on.
 */
import { readFileSync } from 'node:fs';
import { ADDRESS_SIZES_LEAF } from '../abi/kvm/cpuid.ts';
import type { HostProfile } from '../simulator/index.ts';

export interface CpuIdentity {
  /** Family, model and stepping as CPUID(1).EAX has them. */
  readonly signature: number;
  /** The width that CPUID(0x80000008).EAX[7:0] has. */
  readonly physicalAddressBits: number;
}

/** @returns undefined where /proc/cpuinfo does not tell. */
export function readCpuIdentity(cpuinfo = readCpuinfo()): CpuIdentity | undefined {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(cpuinfo)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const family = number(/^cpu family\s*:\s*(\d+)$/m);
  const model = number(/^model\s*:\s*(\d+)$/m);
  const stepping = number(/^stepping\s*:\s*(\d+)$/m);
  const physicalAddressBits = number(/^address sizes\s*:\s*(\d+) bits physical/m);
  if (family === undefined || model === undefined || stepping === undefined) return undefined;
  if (physicalAddressBits === undefined) return undefined;
  return { signature: signatureOf({ family, model, stepping }), physicalAddressBits };
}

function readCpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

/** A family above 15 has the rest in bits 27:20, and a model has its upper half in bits 19:16. */
function signatureOf(cpu: { family: number; model: number; stepping: number }): number {
  const family = Math.min(cpu.family, 0xf);
  const extendedFamily = cpu.family - family;
  const [model, extendedModel] = [cpu.model & 0xf, cpu.model >>> 4];
  return (
    ((extendedFamily << 20) |
      (extendedModel << 16) |
      (family << 8) |
      (model << 4) |
      cpu.stepping) >>>
    0
  );
}

export function withCpuIdentity(profile: HostProfile, identity: CpuIdentity): HostProfile {
  const { cpuid, recordedCpuid } = profile.platform;
  const platform = {
    ...profile.platform,
    cpuid: cpuid.map((row) => ({ ...row, eax: identified(row.leaf, row.eax, identity) })),
    ...(recordedCpuid && {
      recordedCpuid: recordedCpuid.map((entry) => ({
        ...entry,
        eax: identified(entry.function, entry.eax, identity),
      })),
    }),
  };
  return { ...profile, platform };
}

function identified(
  leaf: number,
  eax: number,
  { signature, physicalAddressBits }: CpuIdentity,
): number {
  if (leaf === 1) return signature;
  return leaf === ADDRESS_SIZES_LEAF ? ((eax & ~0xff) | physicalAddressBits) >>> 0 : eax;
}
