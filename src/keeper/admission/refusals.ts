/** What somebody is told who gets no key slot, and will not wait for one. */
import { TdctlError } from '../../errors/index.ts';
import type { KeptTd } from '../kept-td.ts';
import { readKeptTds } from '../kept-tds.ts';
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

/** Every slot is taken: by whom, and who waits for one already. */
export async function refusedForSlot(
  state: StateDirectory,
  { except, error }: { readonly except: string; readonly error: unknown },
): Promise<TdctlError> {
  const tds = readKeptTds(state).filter(({ name }) => name !== except);
  const keepers = tds.flatMap(({ keeper }) => (keeper?.lives ? keeper.pid : []));
  const { found } = vmHoldings(new Set([process.pid, ...keepers]));
  // Whoever may only read the line is refused all the same.
  const waiting = await readLine(state).catch(() => []);
  const holders = tds.filter(({ holdsKeySlot }) => holdsKeySlot);
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
    hint: 'wait in order for one: --queue; or stop one of these: `tdctl stop NAME`',
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
