/** What of a TD goes to another process as fds, and what those are of. */
import { unobserved } from '../../host/observed.ts';
import { type FdPassingHost, passesVms } from '../../host/passing.ts';
import type { GuestMemory, UserMemory } from '../../host/port.ts';
import type { TdRun } from '../../orchestrator/index.ts';
import type { PassedObject } from './protocol.ts';

interface Passing {
  readonly object: PassedObject;
  readonly fd: { readonly fd: number };
}

/** On a host that passes no VMs it is the memory alone. */
export function passedObjects(host: FdPassingHost, { session }: TdRun): readonly Passing[] {
  const { handles } = session;
  const memory = bySlot<UserMemory>(handles.get('slotMemory'), (slot, each) => ({
    object: { kind: 'memory', slot },
    fd: host.fdOf(each),
  }));
  if (!passesVms(host)) return memory;
  const pages = bySlot<GuestMemory>(handles.get('guestMemory'), (slot, each) => ({
    object: { kind: 'guestMemory', slot, sizeBytes: each.sizeBytes },
    fd: host.fdOf(each),
  }));
  const vm = host.fdOf(unobserved(handles.get('vm')));
  return [{ object: { kind: 'vm' }, fd: vm }, ...pages, ...memory];
}

function bySlot<Each>(
  all: ReadonlyMap<number, Each>,
  passing: (slot: number, each: Each) => Passing,
): readonly Passing[] {
  return [...all].map(([slot, each]) => passing(slot, each));
}
