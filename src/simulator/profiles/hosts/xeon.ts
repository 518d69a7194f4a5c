import type { Platform } from '../../platform.ts';
import { type XeonCpuid, xeonCpuid } from '../cpuid/xeon.ts';

/** A platform whose CPUID follows from its other facts and from `signature`, which is CPUID(1).EAX. */
export function xeonPlatform({
  signature,
  ...platform
}: Omit<Platform, 'cpuid'> & Pick<XeonCpuid, 'signature'>): Platform {
  const guestAddressBits = platform.fiveLevelEpt ? 52 : 48;
  const cpuid = xeonCpuid({ ...platform, signature, physicalAddressBits: 52, guestAddressBits });
  return { ...platform, cpuid };
}
