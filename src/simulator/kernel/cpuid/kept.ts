import type { Platform } from '../../platform.ts';

/** All of a host that decides what KVM has for guests. */
export type HostCpu = Pick<Platform, 'cpuid' | 'features' | 'fiveLevelEpt'>;

/** Derives once for all machines with the same CPU: a rehearsal makes thousands of them. */
export function keptFor<Value>(derive: (host: HostCpu) => Value): (host: HostCpu) => Value {
  type Kept = WeakMap<HostCpu['cpuid'], WeakMap<HostCpu['features'], Value>>;
  const [with4Levels, with5Levels]: readonly [Kept, Kept] = [new WeakMap(), new WeakMap()];
  return (host) => {
    const { cpuid, features } = host;
    const known = host.fiveLevelEpt ? with5Levels : with4Levels;
    const ofCpu = known.get(cpuid) ?? new WeakMap<HostCpu['features'], Value>();
    known.set(cpuid, ofCpu);
    const value = ofCpu.get(features) ?? derive(host);
    ofCpu.set(features, value);
    return value;
  };
}
