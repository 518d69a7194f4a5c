/** Lets a TD begin when it is its turn: at once where a key slot is free and nobody waits, or after those who do. */
import { TdctlError } from '../../errors/index.ts';
import type { KeySlots } from '../../host/facts.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { StateDirectory } from '../state-directory.ts';
import { Changes } from './changes.ts';
import { Line, readLine } from './line.ts';
import { othersWait } from './refusals.ts';
import { type SharedSlots, sharedSlots } from './slots.ts';
import type { Place, TicketOwner } from './tickets.ts';

export interface AdmissionOptions {
  readonly state: StateDirectory;
  /** The TD, and the process that keeps it. */
  readonly owner: TicketOwner;
  readonly host: HostWithSlots;
  /** Whether it waits. */
  readonly queue: boolean;
  /** The ticket was taken (`queued` in the journal), or given up (`unqueued`). What the first throws ends it all. */
  readonly onTicket?: ((kind: 'queued' | 'unqueued', ticket: string) => void) | undefined;
  /** Is told each time it is another. */
  readonly onPlace?: ((place: Place) => void) | undefined;
  /** The ticket could not be given up: it counts until this process ends. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is asked of a host here. */
export interface HostWithSlots {
  /** As `--host` names it. */
  readonly name: string;
  /** Undefined where the host does not tell: then only KVM_TDX_INIT_VM does. */
  keySlots(): Promise<KeySlots | undefined>;
}

/**
 * @param attempt takes the key slot. Where none was free it throws ENOSPC of KVM_TDX_INIT_VM, or TDCTL_E_NO_KEY_SLOT,
 * has taken nothing, and is called again later. Whatever else it throws ends the wait: no other limit is one for which
 * the next in the line would have to wait too (docs/admission.md).
 * @throws what `attempt` throws; TdctlError TDCTL_E_NO_KEY_SLOT where others wait and it shall not;
 * TDCTL_E_NOT_WRITABLE; the reason of `signal`.
 */
export async function admitted<Result>(
  options: AdmissionOptions,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const { state, host, queue } = options;
  const shared = sharedSlots(state, host.name);
  if (shared === undefined) return await attempt();
  if (queue) return await inLine(options, shared, attempt);
  const waiting = await readLine(state, host.name);
  const slots = await host.keySlots();
  const isOvertaking = slots === undefined || slots.total - slots.used <= waiting.length;
  if (waiting.length > 0 && isOvertaking) throw othersWait(waiting);
  return await attempt();
}

async function inLine<Result>(
  options: AdmissionOptions,
  shared: SharedSlots,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const { state, owner, onTicket, onTrouble } = options;
  const line = new Line({ state, owner, queue: shared.queue });
  const ticket = String(await line.join());
  try {
    onTicket?.('queued', ticket);
    return await turn(options, { line, ...shared }, attempt);
  } finally {
    // The TD may be there by now, and is kept whatever becomes of its ticket.
    await line.leave().catch(onTrouble);
    onTicket?.('unqueued', ticket);
  }
}

async function turn<Result>(
  { host, onPlace, signal }: AdmissionOptions,
  { line, queue, news }: SharedSlots & { readonly line: Line },
  attempt: () => Promise<Result>,
): Promise<Result> {
  let known: Place = { position: 0, of: 0 };
  let tries = 0;
  let changes = new Changes([queue]);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const place = await line.place();
      if (place.position === 1 && known.position !== 1) {
        // The next one waits for a slot, and for nobody before it.
        changes.close();
        changes = new Changes(news);
      }
      const isNews = place.position !== known.position || place.of !== known.of;
      known = place;
      const slots = place.position === 1 ? await host.keySlots() : undefined;
      if (place.position === 1 && (slots === undefined || slots.used < slots.total)) {
        try {
          return await attempt();
        } catch (error) {
          if (!isNoKeySlot(error)) throw error;
        }
        tries += 1;
      }
      // Whoever gets a slot at once has not waited.
      if (isNews) onPlace?.(place);
      await changes.next(paceOf(place, tries), signal);
    }
  } finally {
    changes.close();
  }
}

/**
 * How soon to look again. Where nothing tells that a slot is free the next one tries, each time at the cost of a VM.
 * Those far behind take their time: everybody looks at each change.
 */
function paceOf({ position }: Place, tries: number) {
  if (position === 1) return { leastMs: 50, mostMs: Math.min(1000 * 1.2 ** tries, 10_000) };
  return { leastMs: Math.min(10 * position, 1000), mostMs: 1000 + 25 * position };
}

/** No private key ID is free: the request itself says so, or whoever looked before it was made. */
export function isNoKeySlot(error: unknown): boolean {
  if (error instanceof KvmError) {
    return error.request === 'KVM_TDX_INIT_VM' && error.code === 'ENOSPC';
  }
  return error instanceof TdctlError && error.code === 'TDCTL_E_NO_KEY_SLOT';
}
