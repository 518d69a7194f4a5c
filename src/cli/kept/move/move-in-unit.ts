/** A TD that is kept in a unit of systemd moves to a keeper in that unit, which the one that has it begins. */
import { TdctlError } from '../../../errors/index.ts';
import { connectTd } from '../../../keeper/client.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { interruptedMove } from '../../../keeper/launch.ts';
import { beginsNextSince } from '../../../keeper/move/protocol.ts';
import type { MoveReport } from '../../../keeper/move/report.ts';
import type { Moving } from './moving.ts';
import { beginsNoNext } from './refusals.ts';

/** So soon does a keeper say who it is. */
const greetingMs = 10_000;
/** A move takes a second; the two keepers have time limits of their own for each part of it. */
const mostMoveMs = 2 * 60_000;

/** @throws TdctlError where the TD has not come to the next keeper. */
export async function moveInUnit(
  { name }: KeptTd,
  unit: string,
  { state, signal, program }: Omit<Moving, 'io'>,
): Promise<MoveReport> {
  const client = await connectTd(state, name, { deadlineMs: greetingMs });
  try {
    const { tdctl, move } = client.greeting;
    if ((move?.newest ?? 0) < beginsNextSince) throw beginsNoNext({ name, unit, tdctl });
    return await client.next(program, { deadlineMs: mostMoveMs, signal });
  } catch (error) {
    if (signal?.aborted === true && error instanceof TdctlError) throw interruptedMove(name);
    throw error;
  } finally {
    client.close();
  }
}
