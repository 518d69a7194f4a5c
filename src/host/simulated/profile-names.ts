import { type HostProfileName, hostProfiles } from '../../simulator/index.ts';

/** What `--host sim:NAME` and `soft:NAME` take. `this-host` is read from /dev/kvm on demand. */
export type ProfileName = HostProfileName | 'this-host';

export const profileNames = [
  ...(Object.keys(hostProfiles) as HostProfileName[]),
  'this-host',
] as const satisfies readonly ProfileName[];
