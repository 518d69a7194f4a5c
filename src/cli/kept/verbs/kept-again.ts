/** A TD whose keeper has died and whose QEMU has not gets another keeper by the first verb that needs one. */
import { TdctlError } from '../../../errors/index.ts';
import { apiRange } from '../../../keeper/identity.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import { launchKeeper } from '../../../keeper/launch.ts';
import { say } from '../../output/print.ts';
import type { ActingOn } from '../actions.ts';
import { requestOfTd } from '../request-of.ts';

/**
 * @returns the TD as it is found then.
 * @throws TdctlError TDCTL_E_NOT_ANSWERING and others, where QEMU cannot be gone on with: it is as it was.
 */
export async function keptAgain(
  on: Pick<ActingOn, 'state' | 'interrupts' | 'io'>,
  td: KeptTd,
): Promise<KeptTd> {
  if (td.state !== 'unkept') return td;
  const { state, interrupts, io } = on;
  const before = requestOfTd(state, td.name);
  if (before === undefined) throw notKnown(td);
  const request = { ...before, adopt: true, faults: undefined, unit: undefined, api: apiRange };
  try {
    const { pid } = await launchKeeper(request, { env: io.env, signal: interrupts.signal });
    say(io, `${td.name}: its keeper had died; process ${pid} goes on with it`);
  } catch (error) {
    // Of two that do this at once one does, and the other finds it done.
    const now = readKeptTd(state, td.name);
    if (now === undefined || now.keeper?.lives !== true) throw error;
  }
  return readKeptTd(state, td.name) ?? td;
}

function notKnown({ name }: KeptTd): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_READABLE',
    op: 'go on with a TD',
    message: `what TD ${name} was created from cannot be read, so no keeper can go on with it`,
    hint: `\`tdctl kill ${name}\` ends its QEMU`,
  });
}
