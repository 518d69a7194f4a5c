/** `tdctl create` and `tdctl apply`: from a file to a TD that is kept. */
import { TdctlError } from '../../../errors/index.ts';
import { isNoKeySlot } from '../../../keeper/admission/admitted.ts';
import { refusedForSlot } from '../../../keeper/admission/refusals.ts';
import { sharesSlots } from '../../../keeper/admission/slots.ts';
import { apiRange } from '../../../keeper/identity.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import { isOver } from '../../../keeper/state.ts';
import { openStateDirectory, type StateDirectory } from '../../../keeper/state-directory.ts';
import { unitName } from '../../../keeper/systemd/unit.ts';
import { type Interrupts, listenForInterrupts } from '../../interrupts.ts';
import type { CommandIo } from '../../io.ts';
import { printData } from '../../output/data.ts';
import { print, say } from '../../output/print.ts';
import { awaitFree, awaitTd } from '../await.ts';
import { requestOfTd } from '../request-of.ts';
import { askFor } from '../verbs/asked.ts';
import { differences } from './differences.ts';
import { launch } from './launch.ts';
import { unitFor } from './launch-unit.ts';
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
    if (before === undefined || isOver(before.state)) await beginAsTheFirst(creating, before);
    else await leaveAsItIs(creating, before);
    await printTd(creating);
  } finally {
    interrupts.done();
  }
}

/** Of two that create the same TD at once one does, and for the other there is nothing to do. */
async function beginAsTheFirst(creating: Creating, before: KeptTd | undefined): Promise<void> {
  try {
    await begin(creating, before);
  } catch (error) {
    if (!(error instanceof TdctlError) || error.code !== 'TDCTL_E_CONFLICT') throw error;
    const now = await foundSoon(creating);
    if (now === undefined) throw error;
    await leaveAsItIs(creating, now);
  }
}

/** Who was the first may not have written down yet what it keeps. */
async function foundSoon({ named, state, interrupts }: Creating): Promise<KeptTd | undefined> {
  const { td } = await awaitTd(state, {
    name: named.name,
    until: (now) => now !== undefined && !isOver(now.state) && now.keeper !== null,
    signal: interrupts.signal,
    timeoutMs: 2000,
  });
  return td === undefined || isOver(td.state) ? undefined : td;
}

async function begin(creating: Creating, before: KeptTd | undefined): Promise<void> {
  const { named, options, state, interrupts, io } = creating;
  const unit = options.unit === true ? unitFor(tdOf(named), io) : undefined;
  const prepared = await prepare(named, options, io).catch(async (error) => {
    const { host, name } = named;
    if (!sharesSlots(host) || !isNoKeySlot(error)) throw error;
    throw await refusedForSlot(state, { host, except: name, error });
  });
  if (before !== undefined) {
    say(io, `${named.name} was here and is ${before.state}: this is its life ${before.life + 1}`);
  }
  await awaitFree(state, named.name, interrupts.signal);
  const view = createView(options.output, io);
  view.planned(prepared);
  await launch(requestOf(named, options), { state, interrupts, io, view, unit });
}

const tdOf = ({ spec }: NamedSpec) => ({
  memoryBytes: Number(spec.memoryBytes),
  vcpus: spec.maxVcpus,
});

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
    unit: options.unit === true ? unitName(name) : undefined,
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
