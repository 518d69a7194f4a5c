import type { RawCpuid } from '../../../abi/cpuid/raw.ts';
import { once } from '../../../abi/once.ts';
import type { Platform } from '../../platform.ts';
import { cpuidOfHost, type HostCpu } from '../cpuid/of-host.ts';

/**
 * A platform with CPUs of a kind, whose CPUID follows from the kind and from the platform's other facts. It is
 * derived when it is asked for: a command has one host of all that there are.
 */
export function xeonPlatform({
  cpu,
  signature,
  xfam,
  ...platform
}: Omit<Platform, 'cpuid'> &
  Pick<HostCpu, 'signature' | 'xfam'> & { readonly cpu: RawCpuid }): Platform {
  const host = { ...platform, signature, xfam, physicalAddressBits: 52 };
  const cpuid = once(() => cpuidOfHost(cpu, host));
  return {
    ...platform,
    get cpuid() {
      return cpuid();
    },
  };
}
