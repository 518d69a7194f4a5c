/** Each call of a command failing in turn: where, and where the simulated host makes the same call. */
import type { ErrnoName } from '../../../src/abi/kvm/errno.ts';
import { type FaultRecord, possibleFaults, type TraceEvent } from '../../../src/simulator/index.ts';
import type { OwnHostCommand } from './commands.ts';

export interface OwnHostCase {
  readonly fault: FaultRecord;
  /** The same for the simulated host; undefined for a call that only the kvm host makes. */
  readonly simulated: FaultRecord | undefined;
}

/** @param trace the calls of the command without a fault. */
export function casesOf(command: OwnHostCommand, trace: readonly TraceEvent[]): OwnHostCase[] {
  const further = furtherCalls(command, trace);
  return [...refusals(trace), ...possibleFaults(trace)].map((fault) => {
    const [request = ''] = fault.at.split(':');
    const nth = (fault.nth ?? 1) - (isLeaf(fault.at) ? 0 : (further.get(request) ?? 0));
    return { fault, simulated: nth > 0 ? { ...fault, nth } : undefined };
  });
}

function isLeaf(at: string): boolean {
  return at.startsWith('TDH.');
}

/** How many calls more than the simulated host makes come before those that both make. */
function furtherCalls(
  { simulatedFirst, more }: OwnHostCommand,
  trace: readonly TraceEvent[],
): ReadonlyMap<string, number> {
  const names = trace.flatMap((event) => (event.kind === 'ioctl' ? [event.request.request] : []));
  const first = names.slice(0, names.indexOf('KVM_CREATE_VM'));
  return new Map(
    [...new Set(names)].map((name) => [
      name,
      first.filter((each) => each === name).length +
        (more[name] ?? 0) -
        (simulatedFirst[name] ?? 0),
    ]),
  );
}

/** For want of memory, for a signal while it waits for a lock, and of a VM that is dead. */
function refusals(trace: readonly TraceEvent[]): FaultRecord[] {
  const counts = new Map<string, number>();
  return trace.flatMap((event): FaultRecord[] => {
    if (event.kind !== 'ioctl' || event.request.request === 'KVM_RUN') return [];
    const at = event.request.request;
    const nth = (counts.get(at) ?? 0) + 1;
    counts.set(at, nth);
    const mostly: ErrnoName = at.startsWith('KVM_TDX') ? 'EINTR' : 'ENOMEM';
    return [mostly, 'EIO' as const].map((errno) => ({ at, errno, nth }));
  });
}
