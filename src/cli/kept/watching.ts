/** `tdctl list --watch`: the list again whenever it is another one. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import type { KeptFormat } from './options.ts';

const lookEveryMs = 500;
/** The screen from its top on; what is there is overwritten. */
const fromTheTop = '\u001b[H\u001b[2J';

interface Watching {
  readonly read: () => Promise<readonly KeptTd[]>;
  readonly print: (tds: readonly KeptTd[], output: KeptFormat, io: CommandIo) => Promise<void>;
  readonly output: KeptFormat;
  readonly io: CommandIo;
}

/** Until it is interrupted, which is its end and no failure. */
export async function watchTds({ read, print, output, io }: Watching): Promise<void> {
  const interrupts = listenForInterrupts();
  const isScreen = io.widths.stdout !== undefined && output === 'text';
  let shown: string | undefined;
  try {
    while (interrupts.received === undefined) {
      const tds = await read();
      const seen = seenOf(tds);
      // On a screen the ages go on too; whoever reads a pipe is told of changes.
      if (isScreen) io.stdout.write(fromTheTop);
      if (isScreen || seen !== shown) {
        if (output === 'yaml') io.stdout.write('---\n');
        await print(tds, output, io);
      }
      shown = seen;
      await delay(lookEveryMs, undefined, { signal: interrupts.signal }).catch(() => undefined);
    }
  } finally {
    interrupts.done();
  }
}

/** Without what changes by itself as time goes by. */
function seenOf(tds: readonly KeptTd[]): string {
  return JSON.stringify(
    tds.map((td) => ({
      ...td,
      sinceMs: null,
      leftMs: null,
      queue: td.queue && { ...td.queue, forecastMs: null },
    })),
  );
}
