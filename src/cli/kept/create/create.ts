/** `tdctl create` and `tdctl apply`: from a file to a TD that is kept. */
import { TdctlError } from '../../../errors/index.ts';
import { apiRange } from '../../../keeper/identity.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import { isOver } from '../../../keeper/state.ts';
import { openStateDirectory, type StateDirectory } from '../../../keeper/state-directory.ts';
import { type Interrupts, listenForInterrupts } from '../../interrupts.ts';
import type { CommandIo } from '../../io.ts';
import { printData } from '../../output/data.ts';
import { print, say } from '../../output/print.ts';
import { awaitFree, awaitTd } from '../await.ts';
import { requestOfTd } from '../request-of.ts';
import { askFor } from '../verbs/asked.ts';
import { differences } from './differences.ts';
import { launch } from './launch.ts';
import type { CreateOptions } from './options.ts';
import { type NamedSpec, prepare, readSpec } from './prepare.ts';
import { createView } from './view.ts';

interface Creating {
  readonly named: NamedSpec;
  readonly options: CreateOptions;
  readonly state: StateDirectory;
  readonly interrupts: Interrupts;
  readonly io: CommandIo;
}

/** @throws TdctlError for whatever keeps the TD from becoming what was asked for. */
export async function createTd(
  given: string,
  options: CreateOptions,
  io: CommandIo,
): Promise<void> {
  const interrupts = listenForInterrupts();
  try {
    const named = await readSpec(given, options, io);
    const state = await openStateDirectory(io.env, { create: true });
    const creating: Creating = { named, options, state, interrupts, io };
    const before = readKeptTd(state, named.name);
    if (before === undefined || isOver(before.state)) await begin(creating, before);
    else await leaveAsItIs(creating, before);
    await printTd(creating);
  } finally {
    interrupts.done();
  }
}

async function begin(creating: Creating, before: KeptTd | undefined): Promise<void> {
  const { named, options, state, interrupts, io } = creating;
  const prepared = await prepare(named, options, io);
  if (before !== undefined) {
    say(io, `${named.name} was here and is ${before.state}: this is its life ${before.life + 1}`);
  }
  await awaitFree(state, named.name, interrupts.signal);
  const view = createView(options.output, io);
  view.planned(prepared);
  await launch(requestOf(named, options), { state, interrupts, io, view });
}

function requestOf({ name, text, path, host }: NamedSpec, options: CreateOptions): KeepRequest {
  return {
    version: 1,
    name,
    spec: text,
    specPath: path,
    host,
    kernel: options.kernel,
    faults: options.fault,
    anyMeasurement: options.anyMeasurement,
    start: options.start === true,
    queue: options.queue === true,
    again: true,
    api: apiRange,
  };
}

/** The same again is no mistake: it is there, or soon will be. */
async function leaveAsItIs(creating: Creating, td: KeptTd): Promise<void> {
  const { named, options, state, interrupts, io } = creating;
  const kept = requestOfTd(state, td.name);
  const others =
    kept === undefined ? ['its request cannot be read'] : differences(named, options, kept);
  if (others.length > 0) throw isAnother(td, others);
  const { td: seen } = await awaitTd(state, {
    name: td.name,
    until: (now) => now === undefined || !['queued', 'creating'].includes(now.state),
    signal: interrupts.signal,
  });
  const isToStart = options.start === true && seen?.state === 'runnable';
  if (isToStart) await askFor(state, td, 'start');
  if (options.output !== 'text') return;
  const words = isToStart
    ? 'it was built already, and runs now'
    : `nothing to do: it is ${seen?.state}`;
  print(io, `${td.name}: ${words}\n`);
}

function isAnother({ name, state }: KeptTd, others: readonly string[]): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'create a TD',
    message: `TD ${name} is ${state}, and was created otherwise; nothing of a TD can be changed once it is built`,
    details: others,
    hint: `\`tdctl delete ${name} --force\` ends it, and then this command creates it as it is wanted; or give --name`,
  });
}

async function printTd({ named, options, state, io }: Creating): Promise<void> {
  const { output } = options;
  const { name } = named;
  if (output === 'name') return io.stdout.write(`${name}\n`);
  const td = readKeptTd(state, name);
  if (output === 'text' || td === undefined) return;
  await printData('tdctl.Td', td, { io, format: output, text: () => '' });
}
