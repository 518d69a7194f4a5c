/** `tdctl console`: this terminal at the serial port of a guest that somebody else keeps. */
import type { Duplex } from 'node:stream';
import { TdctlError } from '../../errors/index.ts';
import { connectTd } from '../../keeper/client.ts';
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
import { answerMs, refuseUnreachable } from './verbs/asked.ts';
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
    const client = await connectTd(state, name, { deadlineMs: answerMs });
    try {
      await attach(await client.console({ deadlineMs: answerMs }), { td, state, io, interrupts });
    } finally {
      client.close();
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
}

async function attach(line: Duplex, { td, state, io, interrupts }: Attaching): Promise<void> {
  const input = (bytes: Uint8Array) => {
    // Whoever types waits while the keeper takes nothing.
    if (line.writableNeedDrain || line.destroyed) return 0;
    line.write(bytes);
    return bytes.length;
  };
  const terminal = new RunTerminal({ io, attaches: true, input });
  const { own } = terminal;
  const ended = new Promise<'left' | 'over'>((resolve) => {
    interrupts.onInterrupt(() => resolve('left'));
    // It may end by an error where the keeper was killed; how it ended is told by the TD.
    line.on('error', () => resolve('over'));
    line.on('close', () => resolve('over'));
    line.on('end', () => resolve('over'));
    line.on('data', (bytes: Buffer) => {
      terminal.attached?.print(bytes, 0);
      // The keeper has it all in its log, so a reader that is slow loses nothing.
      if (io.stdout.isBehind !== true) return;
      line.pause();
      void io.stdout.settled?.().then(() => line.resume());
    });
    if (terminal.isForPerson) say(own, `the console of ${td.name} is attached; ^] leaves it`);
    if (td.state === 'runnable') say(own, `it has not run yet; \`tdctl start ${td.name}\` runs it`);
    terminal.attach(() => resolve('left'));
  });
  const how = await ended;
  terminal.end();
  line.destroy();
  if (how === 'left') say(own, `left the console of ${td.name}; the TD goes on`);
  else say(own, `${td.name}: ${howItEnded(state, td.name)}`);
}
