/** What somebody is told who gets no key slot, and will not wait for one. */
import { TdctlError } from '../../errors/index.ts';
import { sharedHostName } from '../../host/identity.ts';
import type { KeptTd } from '../kept-td.ts';
import { readKeptTds } from '../kept-tds.ts';
import { processesOfKeptTds } from '../own-processes.ts';
import type { StateDirectory } from '../state-directory.ts';
import { type VmHolding, vmHoldings } from '../vm-holders.ts';
import { readLine } from './line.ts';
import type { Ticket } from './tickets.ts';

const mostNamed = 12;

export function othersWait(waiting: readonly Ticket[]): TdctlError {
  const many = waiting.length === 1 ? 'another TD waits' : `${waiting.length} other TDs wait`;
  return new TdctlError({
    code: 'TDCTL_E_NO_KEY_SLOT',
    op: 'take a key slot',
    message: `${many} for a key slot, and come first`,
    details: waitingInWords(waiting),
    hint: 'wait in order with them: --queue',
  });
}

export interface SlotRefused {
  /** As `--host` names it. */
  readonly host: string;
  /** The TD that got none. */
  readonly except: string;
  readonly error: unknown;
}

/** Every slot is taken: by whom, and who waits for one already. */
export async function refusedForSlot(
  state: StateDirectory,
  { host, except, error }: SlotRefused,
): Promise<TdctlError> {
  const tds = readKeptTds(state).filter(({ name }) => name !== except);
  const shared = sharedHostName(host);
  // The processes of this machine say nothing of which shared host their VMs are on.
  const found =
    shared === undefined
      ? vmHoldings(new Set([process.pid, ...processesOfKeptTds(state, tds)])).found
      : [];
  // Whoever may only read the line is refused all the same.
  const waiting = await readLine(state, host).catch(() => []);
  const holders = tds.filter((td) => td.holdsKeySlot && td.host?.name === host);
  return new TdctlError({
    code: 'TDCTL_E_NO_KEY_SLOT',
    op: 'take a key slot',
    message:
      error instanceof TdctlError
        ? error.message
        : 'every private key ID (HKID) of the host is in use: KVM_TDX_INIT_VM answered ENOSPC',
    details: [
      ...few(holders.map(keptInWords)),
      ...few(found.map(foreignInWords)),
      ...waitingInWords(waiting),
    ],
    hint: `wait in order for one: --queue; or stop one of these: \`tdctl stop NAME\`${
      shared === undefined ? '' : `; \`tdctl host show ${shared}\` has all that are on the host`
    }`,
    cause: error,
  });
}

function keptInWords({ name, state, keeper }: KeptTd): string {
  return `has one: ${name}, ${state}${keeper === null ? '' : ` (keeper ${keeper.pid})`}`;
}

function foreignInWords({ pid, program, vmFds }: VmHolding): string {
  const many = vmFds === 1 ? 'a VM, which may be a TD' : `${vmFds} VMs, which may be TDs`;
  return `may have one: ${program} (pid ${pid}), with ${many}`;
}

function few(lines: readonly string[]): string[] {
  const more = lines.length - mostNamed;
  return more > 0 ? [...lines.slice(0, mostNamed), `and ${more} more`] : [...lines];
}

export function waitingInWords(waiting: readonly Ticket[]): string[] {
  return few(
    waiting.map(({ td, pid, isStopped }, index) =>
      isStopped
        ? `waits: ${td}, whose keeper (pid ${pid}) is stopped and is passed over`
        : `waits, place ${index + 1}: ${td} (pid ${pid})`,
    ),
  );
}
