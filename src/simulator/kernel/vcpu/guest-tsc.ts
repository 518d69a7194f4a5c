/**
 * The time stamp counter of a vCPU: the host's, scaled to the guest's frequency and moved by an offset.
 * Source: kvm_scale_tsc() and kvm_synchronize_tsc() in arch/x86/kvm/x86.c.
 */
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

/** The host's counter began with the host. */
export function hostTsc({ hostClock, profile }: Kernel): bigint {
  return (hostClock.bootNs() * BigInt(profile.platform.tscKhz)) / 1_000_000n;
}

export function guestTsc(kernel: Kernel, vcpu: Vcpu): bigint {
  return BigInt.asUintN(64, scaledTsc(kernel, vcpu) + vcpu.tscOffset);
}

/** Fraction bits of VMX's multiplier. */
const fractionBits = 48n;
/** The module parameter tsc_tolerance_ppm: a guest is not scaled for less. */
const tolerancePpm = 250;

function scaledTsc(kernel: Kernel, { tscKhz }: Vcpu): bigint {
  const { tscKhz: hostKhz, features } = kernel.profile.platform;
  const tolerated = (ppm: number) => Math.floor((hostKhz * (1_000_000 + ppm)) / 1_000_000);
  const isNear = tscKhz >= tolerated(-tolerancePpm) && tscKhz <= tolerated(tolerancePpm);
  if (isNear || !features.tscScaling) return hostTsc(kernel);
  const ratio = (BigInt(tscKhz) << fractionBits) / BigInt(hostKhz);
  return (hostTsc(kernel) * ratio) >> fractionBits;
}

/** @param value what user space wrote; undefined: the vCPU has just been made. */
export function synchronizeTsc(kernel: Kernel, vcpu: Vcpu, value: bigint | undefined): void {
  const { tscSync } = vcpu.vm;
  const tsc = value ?? 0n;
  const ns = kernel.hostClock.bootNs();
  const khz = BigInt(vcpu.tscKhz);
  const second = khz * 1000n;
  const expected = tscSync.last.tsc + ((ns - tscSync.last.ns) * khz) / 1_000_000n;
  // User space that writes what the others must be at by now means that they go together.
  const isMeantAlike =
    tsc === 0n || (tscSync.userHasSet && tsc < expected + second && tsc + second > expected);
  const matches = isMeantAlike && vcpu.tscKhz === tscSync.last.khz;
  const offset = matches ? tscSync.offset : BigInt.asUintN(64, tsc - scaledTsc(kernel, vcpu));
  setTsc(vcpu, { ns, tsc, offset, matches, byUser: value !== undefined });
}

/** KVM_VCPU_TSC_OFFSET: an offset like that of the last write is of the same generation. */
export function setTscOffset(kernel: Kernel, vcpu: Vcpu, offset: bigint): void {
  const { last } = vcpu.vm.tscSync;
  const matches = last.khz === vcpu.tscKhz && last.offset === offset;
  const tsc = BigInt.asUintN(64, scaledTsc(kernel, vcpu) + offset);
  setTsc(vcpu, { ns: kernel.hostClock.bootNs(), tsc, offset, matches, byUser: true });
}

function setTsc(
  vcpu: Vcpu,
  write: {
    readonly ns: bigint;
    readonly tsc: bigint;
    readonly offset: bigint;
    readonly matches: boolean;
    readonly byUser: boolean;
  },
): void {
  // The module has fixed a TD's counter.
  if (vcpu.td !== undefined) return;
  const { tscSync } = vcpu.vm;
  const { ns, tsc, offset, matches, byUser } = write;
  tscSync.userHasSet ||= byUser;
  tscSync.last = { ns, tsc, khz: vcpu.tscKhz, offset };
  vcpu.tscOffset = offset;
  if (!matches) {
    tscSync.generation++;
    tscSync.offset = offset;
    tscSync.matched = 0;
  } else if (vcpu.tscGeneration !== tscSync.generation) {
    tscSync.matched++;
  }
  vcpu.tscGeneration = tscSync.generation;
}
