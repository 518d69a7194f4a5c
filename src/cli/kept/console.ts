/** `tdctl console`: this terminal at the serial port of a guest that somebody else keeps. */
import { TdctlError } from '../../errors/index.ts';
import { ConsoleLines } from '../../keeper/asking/console-lines.ts';
import type { ConsoleLine } from '../../keeper/client.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { isOver } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { type Interrupts, listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { executesGuests } from '../open-host.ts';
import { say } from '../output/print.ts';
import { RunTerminal } from '../run/console/run-terminal.ts';
import { howItEnded } from './how-it-ended.ts';
import { notInThisState } from './refusals.ts';
import { theTd } from './select.ts';
import { keptState } from './state-of.ts';
import { refuseUnreachable } from './verbs/asked.ts';
import { keptAgain } from './verbs/kept-again.ts';

export async function attachConsole(name: string, io: CommandIo): Promise<void> {
  const state = await keptState(io);
  const td = theTd(state, name);
  if (isOver(td.state) || td.state === 'draining') {
    throw notInThisState(td, {
      op: 'attach the console',
      cannot: 'be attached to',
      hint: `\`tdctl logs ${name}\` shows what was printed`,
    });
  }
  refuseUnreachable('console', td);
  refuseSilent(td);
  const interrupts = listenForInterrupts();
  try {
    await keptAgain({ state, interrupts, io }, td);
    const lines = new ConsoleLines(state, td);
    try {
      await attach(await lines.first(), { td, state, io, interrupts, lines });
    } finally {
      lines.close();
    }
  } finally {
    interrupts.done();
  }
}

/** Whoever attached would wait for ever. */
function refuseSilent({ name, host }: KeptTd): void {
  if (host === null || executesGuests(host.name)) return;
  throw new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'attach the console',
    message: `TD ${name} is on ${host.name}, where no instruction of a guest is executed: nobody prints, and nobody hears`,
    hint: '`tdctl create SPEC --host soft --start` runs the guest, where /dev/kvm is',
  });
}

interface Attaching {
  readonly td: KeptTd;
  readonly state: StateDirectory;
  readonly io: CommandIo;
  readonly interrupts: Interrupts;
  readonly lines: ConsoleLines;
}

async function attach(
  first: ConsoleLine,
  { td, state, io, interrupts, lines }: Attaching,
): Promise<void> {
  let line: ConsoleLine | undefined = first;
  const input = (bytes: Uint8Array) => {
    // Whoever types waits while the keeper takes nothing, and while the TD is on its way to another one.
    if (line === undefined || !line.writable || line.writableNeedDrain) return 0;
    line.write(bytes);
    return bytes.length;
  };
  const terminal = new RunTerminal({ io, attaches: true, input });
  const { own } = terminal;
  const left = new Promise<'left'>((resolve) => {
    interrupts.onInterrupt(() => resolve('left'));
    if (terminal.isForPerson) say(own, `the console of ${td.name} is attached; ^] leaves it`);
    if (td.state === 'runnable') say(own, `it has not run yet; \`tdctl start ${td.name}\` runs it`);
    terminal.attach(() => resolve('left'));
  });
  let how: 'left' | 'over' = 'over';
  while (line !== undefined) {
    how = await Promise.race([left, printed(line, { terminal, io })]);
    if (how === 'left') break;
    line = undefined;
    line = await lines.next();
  }
  terminal.end();
  line?.destroy();
  if (how === 'left') say(own, `left the console of ${td.name}; the TD goes on`);
  else say(own, `${td.name}: ${await howItEnded(state, td.name, interrupts.signal)}`);
}

/** Resolves at the end of the connection, with all that came over it printed. */
function printed(
  line: ConsoleLine,
  { terminal, io }: { readonly terminal: RunTerminal; readonly io: CommandIo },
): Promise<'over'> {
  return new Promise((resolve) => {
    // It may end by an error where the keeper was killed; how it ended is told by the TD.
    for (const event of ['error', 'close', 'end']) line.on(event, () => resolve('over'));
    line.on('data', (bytes: Buffer) => {
      terminal.attached?.print(bytes, 0);
      // The keeper has it all in its log, so a reader that is slow loses nothing.
      if (io.stdout.isBehind !== true) return;
      line.pause();
      void io.stdout.settled?.().then(() => line.resume());
    });
    line.resume();
  });
}
