/** Finds the profile that a name stands for. */
import { nearest } from '../../documents/nearest.ts';
import { TdctlError } from '../../errors/index.ts';
import { type HostProfile, hostProfiles } from '../../simulator/index.ts';
import { profileNames } from './profile-names.ts';

/**
 * @throws TdctlError TDCTL_E_USAGE for a name that is not known; TDCTL_E_HOST_UNSUPPORTED for
 * `this-host` without the addon or /dev/kvm.
 */
export async function namedProfile(name: string): Promise<HostProfile> {
  if (name === 'this-host') return readThisHost();
  return oneOf({
    name,
    known: hostProfiles,
    names: profileNames,
    kind: 'simulated host',
    option: '--host',
  });
}

async function readThisHost(): Promise<HostProfile> {
  const { openDevKvm } = await import('../native/dev-kvm.ts');
  const { readThisHostProfile } = await import('./this-host-profile.ts');
  const devKvm = await openDevKvm('sim:this-host');
  try {
    return await readThisHostProfile(devKvm);
  } finally {
    await devKvm.system.close();
  }
}

/** @throws TdctlError TDCTL_E_USAGE that lists all names, with the nearest one. */
export function oneOf<Value>(choice: {
  readonly name: string;
  readonly known: Readonly<Record<string, Value>>;
  readonly names: readonly string[];
  readonly kind: string;
  readonly option: string;
}): Value {
  const { name, known, names, kind, option } = choice;
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  if (found !== undefined) return found;
  const meant = nearest(name, names);
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: `choose a ${kind}`,
    place: option,
    message: `there is no ${kind} \`${name}\`${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    hint: `use ${names.join(', ')}`,
  });
}
