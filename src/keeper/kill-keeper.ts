/** SIGKILL for the keeper of a TD: for one that does not answer, as nothing is asked of it. */
import { loadAddon } from '../../native/index.ts';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';
import { isThere, type Process, presenceOf, vantage } from './presence.ts';
import type { StateDirectory } from './state-directory.ts';
import { readStatus } from './status-file.ts';
import { tdFiles } from './td-files.ts';

const SIGKILL = 9;

/**
 * No other process is ever signalled: the process is held by a pidfd, and then looked at. Without the addon the time
 * between the look and the signal is all that is left to chance.
 *
 * @param spares a VMM, which goes on without a keeper.
 * @returns false where there is no such process any more.
 * @throws TdctlError TDCTL_E_NOT_ANSWERING where nobody knows who the keeper is, or it cannot be signalled from here.
 */
export async function killKeeper(
  state: StateDirectory,
  name: string,
  { spares }: { readonly spares?: 'vmm' } = {},
): Promise<boolean> {
  const status = readStatus(tdFiles(state, name).status);
  if (status.kind === 'absent') return false;
  if (status.kind === 'damaged') throw notKilled(name, `its status ${status.why}`);
  const { keeper, td } = status.file;
  // A VMM outlives its keeper, and has the TD: without it nothing is left that could be silent.
  const vmm = spares === 'vmm' ? undefined : td?.vmm;
  const hadVmm = vmm !== undefined && (await killProcess(name, vmm));
  return (await killProcess(name, keeper)) || hadVmm;
}

async function killProcess(name: string, keeper: Process): Promise<boolean> {
  if (presenceOf(keeper, vantage()) === 'elsewhere') {
    throw notKilled(
      name,
      'it is a process of another PID namespace (a container), which this one cannot signal',
    );
  }
  if (!isThere(keeper)) return false;
  try {
    await signal(keeper);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'ESRCH') return false;
    throw notKilled(name, `process ${keeper.pid} cannot be signalled`, cause);
  }
}

async function signal(keeper: Process): Promise<void> {
  const native = loadAddon();
  if (!native.available) return void process.kill(keeper.pid, 'SIGKILL');
  const pidfd = await native.addon.Pidfd.open(keeper.pid);
  try {
    // What has its number now is what the pidfd holds.
    if (isThere(keeper)) await pidfd.signal(SIGKILL);
  } finally {
    await pidfd.close();
  }
}

function notKilled(name: string, why: string, cause?: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: 'kill',
    message: `the keeper of TD ${name} cannot be killed: ${why}`,
    hint: `\`tdctl show ${name}\` says what is known of it`,
    cause,
  });
}
