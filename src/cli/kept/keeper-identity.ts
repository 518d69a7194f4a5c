/** Who this keeper is, and on which host, as far as that is known before anything is opened. */
import { TD_LIFECYCLE_VERSION } from '../../../machines/td-lifecycle/index.ts';
import type { HostIdentity } from '../../host/identity.ts';
import { type KeeperIdentity, ownIdentity } from '../../keeper/identity.ts';
import type { KeepRequest } from '../../keeper/request.ts';
import { version } from '../version.ts';

export function identityOf({ unit }: Pick<KeepRequest, 'unit'>): KeeperIdentity {
  return ownIdentity({ tdctl: version(), chartVersion: TD_LIFECYCLE_VERSION, unit });
}

export function hostAsNamed(host: string): HostIdentity {
  return { name: host, simulated: /^(sim|soft|on)\b/.test(host) };
}
