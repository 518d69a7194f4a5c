/**
 * A keeper that is killed (SIGKILL) right after each record of its journal, or right before: whoever looks finds what
 * is so, and the name can be had again. All of them with TDCTL_SWEEP=full, else one of each kind.
 */
import { expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { readKeptTd } from '../../src/keeper/kept-tds.ts';
import { openStateDirectory } from '../../src/keeper/state-directory.ts';
import { asked, http, isOver, launch, recordsOf } from './keepers.ts';

/** So many records has the life below. */
const lastRecord = 86;
const sample = ['die-before:1', 'die-at:17', 'die-before:38', 'die-at:70'];
const all = Array.from({ length: lastRecord }, (_, at) => [
  `die-before:${at + 1}`,
  `die-at:${at + 1}`,
]).flat();

const verbs = ['pause', 'resume', 'stop'] as const;

/** A whole life, as far as it goes. */
async function live(name: string, fault?: string): Promise<void> {
  await launch(asked(name, { again: true, start: true }), fault === undefined ? {} : { fault });
  for (const verb of verbs) await http(name, 'POST', `/v1/td/${verb}`);
  await isOver(name);
}

function isNoDefect(error: unknown): boolean {
  if (error instanceof TdctlError) return error.code === 'TDCTL_E_NOT_ANSWERING';
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ECONNRESET', 'ECONNREFUSED', 'ENOENT', 'EPIPE'].includes(code);
}

test.each(process.env.TDCTL_SWEEP === 'full' ? all : sample)(
  'at %s: the truth is told, and the name can be had again',
  async (fault) => {
    const name = fault.replace(':', '-');
    try {
      await live(name, fault);
    } catch (error) {
      if (!isNoDefect(error)) throw error;
    }
    await isOver(name);
    const state = await openStateDirectory(process.env, { create: true });
    const found = readKeptTd(state, name);
    const records = await recordsOf(name);
    const isWritten = records.at(-1)?.kind === 'over';
    expect(found).toMatchObject({
      state: isWritten ? 'destroyed' : 'lost',
      holdsKeySlot: false,
      keeper: { lives: false },
    });
    if (!isWritten) expect(found?.notes.join(' ')).toMatch(/\S/);

    await live(name);
    expect(readKeptTd(state, name)).toMatchObject({ state: 'destroyed', life: 2 });
  },
);

test('the life that is tried has as many records as are tried', async () => {
  await live('counted');
  expect((await recordsOf('counted')).at(-1)).toMatchObject({ kind: 'over', seq: lastRecord });
});
