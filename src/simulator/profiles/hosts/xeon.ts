import type { RawCpuid } from '../../../abi/cpuid/raw.ts';
import type { Platform } from '../../platform.ts';
import { cpuidOfHost, type HostCpu } from '../cpuid/of-host.ts';

/** A platform with CPUs of a kind, whose CPUID follows from the kind and from the platform's other facts. */
export function xeonPlatform({
  cpu,
  signature,
  xfam,
  ...platform
}: Omit<Platform, 'cpuid'> &
  Pick<HostCpu, 'signature' | 'xfam'> & { readonly cpu: RawCpuid }): Platform {
  const host = { ...platform, signature, xfam, physicalAddressBits: 52 };
  return { ...platform, cpuid: cpuidOfHost(cpu, host) };
}
