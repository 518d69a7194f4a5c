/** `tdctl run`: from a file to a TD and back to nothing. */

import { defaultKernelAbi } from '../../abi/kvm/kernels/index.ts';
import { type FirmwareImage, loadFirmware } from '../../firmware/index.ts';
import { hostIdentity } from '../../host/identity.ts';
import type { Host } from '../../host/port.ts';
import { type Engine, keep } from '../../keeper/keep.ts';
import type { TdRunEvent } from '../../orchestrator/index.ts';
import { planTd, type TdPlan } from '../../plan/index.ts';
import { askHost } from '../../plan/judge/index.ts';
import type { RecordedFaults } from '../../simulator/index.ts';
import { parseTrustDomain, readTrustDomainText } from '../../spec/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { durationOf } from '../duration.ts';
import { GuardedView } from '../guarded-view.ts';
import { openHostToActOn } from '../host-to-act-on.ts';
import { type Interrupts, listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { companionsOf, ownManager } from '../kept/companions.ts';
import { engineOf } from '../kept/engine/engine-of.ts';
import { refuseEngineOn } from '../kept/engine/needs-kvm.ts';
import { openRunLog, type RunLog } from '../log.ts';
import { executesGuests } from '../open-host.ts';
import { say } from '../output/print.ts';
import { bootImagesOf, filesNamedIn, filesWrittenBy } from '../spec-files.ts';
import { faultsNotMet } from '../unmet-faults.ts';
import { eventInWords, type PrintedEvent } from '../words.ts';
import { GuestInput, openRunConsole, type RunConsole } from './console/run-console.ts';
import { RunTerminal } from './console/run-terminal.ts';
import { type WantedConsole, wantedConsole } from './console/wanted.ts';
import { type Listed, listRun, type ToList } from './listed.ts';
import { live } from './live.ts';
import { openRunView } from './open-view.ts';
import type { RunOptions } from './options.ts';
import { checkSlots, interrupted, throwFailure } from './outcome.ts';
import { listenForPausing } from './pausing.ts';
import { noteUnmet, readSimulation, startTrace, unmetFaults } from './simulation.ts';
import { type RunSource, runSource } from './source.ts';
import type { TraceFile } from './trace-file.ts';
import type { RunView } from './view.ts';

/** @throws TdctlError for whatever keeps the TD from becoming what was asked for. */
export async function run(options: RunOptions, io: CommandIo): Promise<void> {
  const interrupts = listenForInterrupts();
  try {
    const source = await runSource(options);
    io.files.reads(...source.files);
    const faults = await readSimulation(source.choice, options);
    const text = await readTrustDomainText(source.specPath);
    const spec = parseTrustDomain(text, { path: source.specPath });
    io.files.reads(...filesNamedIn(spec));
    const runsGuests = executesGuests(source.choice.host);
    const isVmms = spec.engine.kind === 'qemu';
    refuseEngineOn(spec, { host: source.choice.host, typed: options.typed });
    // QEMU prints what its guest does, also where that is a script.
    const wanted = wantedConsole({ ...options, runsGuests: runsGuests || isVmms }, spec);
    io.files.writes(...filesWrittenBy(spec));
    const firmware = await loadFirmware(spec.firmware);
    const told = { onFailure: io.losses.add, signal: interrupts.signal };
    const input = new GuestInput();
    const terminal = new RunTerminal({ io, attaches: wanted.attaches, input: input.take });
    const own = terminal.own;
    const log = await openRunLog({ level: options.logLevel, file: options.logFile, ...told }, own);
    try {
      await runOnHost({
        ...{ options, source, text, faults, spec, firmware, log, interrupts, io: own },
        ...{ forMs: durationOf(options.for, '--for'), runsGuests, wanted, input, terminal },
      });
    } finally {
      terminal.end();
      await log.end();
    }
  } finally {
    interrupts.done();
  }
}

interface OnHost {
  readonly options: RunOptions;
  readonly source: RunSource;
  /** Of the TrustDomain file. */
  readonly text: string;
  readonly faults: RecordedFaults | undefined;
  readonly spec: TrustDomain;
  readonly firmware: FirmwareImage;
  readonly log: RunLog;
  readonly interrupts: Interrupts;
  readonly io: CommandIo;
  readonly forMs: number | undefined;
  /** Whether the host executes instructions of the guest. */
  readonly runsGuests: boolean;
  readonly wanted: WantedConsole;
  readonly input: GuestInput;
  readonly terminal: RunTerminal;
}

async function runOnHost(given: OnHost): Promise<void> {
  const { options, source, faults, spec, firmware, interrupts, io } = given;
  const { typed } = options;
  const host = await openHostToActOn({ ...source.choice, faults }, { typed, io });
  const { host: traced, kernel = defaultKernelAbi } = source.choice;
  const trace = await startTrace(host, {
    path: options.trace,
    header: { host: traced, kernel, command: ['tdctl', 'run', source.specPath] },
    onFailure: io.losses.add,
    signal: interrupts.signal,
  });
  try {
    const ignoreExpectation = options.anyMeasurement === true;
    const boot = await bootImagesOf(spec);
    const plan = planTd({ spec, firmware, boot, host: await askHost(host), ignoreExpectation });
    source.checkUnchanged(plan);
    const view = await openRunView(options.output, io);
    const console = await openRunConsole({ ...given, view });
    const isNeeded = spec.engine.kind === 'qemu';
    const listed = await listRun(toList(given), { host: hostIdentity(plan.facts), io, isNeeded });
    try {
      const engine = await engineFor(given, { host, plan, listed });
      await runPlan({ ...given, host, plan, view, trace, console, listed, engine });
    } finally {
      await console.end();
      await listed.end();
    }
  } catch (error) {
    noteUnmet(await unmetFaults(faults), io);
    throw error;
  } finally {
    await host.close();
    await trace?.end();
  }
  const unmet = await unmetFaults(faults);
  if (unmet.length > 0) throw faultsNotMet(unmet);
}

/** Who has the TD in a process of its own, which prints into a file. */
function engineFor(
  { source, wanted, io }: OnHost,
  { host, plan, listed }: Pick<Running, 'host' | 'plan' | 'listed'>,
): Promise<Engine | undefined> | undefined {
  const { life, files, state } = listed;
  if (files === undefined || state === undefined) return undefined;
  return engineOf({ host, plan, wanted, life, files, state, env: io.env, request: source.choice });
}

function toList({ options, source, spec, text }: OnHost): ToList {
  const { specPath, choice } = source;
  const { host, kernel } = choice;
  const { fault: faults, anyMeasurement } = options;
  return { name: spec.name, spec: text, specPath, host, kernel, faults, anyMeasurement };
}

type Known = 'source' | 'text' | 'faults' | 'spec' | 'firmware' | 'wanted';

interface Running extends Omit<OnHost, Known> {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly view: RunView;
  readonly trace: TraceFile | undefined;
  readonly console: RunConsole;
  readonly listed: Listed;
  /** Without one, tdctl makes and runs the TD itself. */
  readonly engine: Engine | undefined;
}

async function runPlan(running: Running): Promise<void> {
  const { host, plan, view, log, trace, interrupts, console, terminal, listed, engine, io } =
    running;
  const { until } = running.options;
  const slotsBefore = await host.keySlots();
  if (interrupts.received !== undefined) throw interrupted(interrupts.received);
  view.planned(plan, slotsBefore);

  let hasRun = false;
  const shown = new GuardedView();
  const onEvent = shown.guarded((event: TdRunEvent, printed: PrintedEvent) => {
    log.write(printed);
    trace?.note(event);
    if (event.event === 'guest.ended') terminal.leave();
    // Whoever is attached sees by what the guest prints that it begins to run.
    const isAttached = terminal.attached !== undefined && terminal.isForPerson;
    if (!isAttached || hasRun || !isProgress(event)) view.event(printed);
    hasRun ||= event.state === 'running';
  });
  if (engine !== undefined) {
    listed.life.console.subscribe((bytes) => console.listener.console(bytes, 0));
  }
  const note = (text: string) => say(io, `note: ${text}`);
  const kept = keep({
    ...{ host, plan, life: listed.life, onEvent, console: console.listener, engine },
    inWords: (event) => eventInWords(event, plan.facts),
    companions:
      listed.state &&
      companionsOf({
        ...{ state: listed.state, life: listed.life, host, plan, log: note },
        manager: ownManager(io.env, note),
        request: { queue: false, start: true },
        onPlace: () => {},
      }),
  });
  const td = kept.run;
  listed.serve(kept.surface);
  running.input.begin(td);
  interrupts.onInterrupt((times) => {
    terminal.leave();
    if (times > 1) say(io, `already stopping: waiting for ${td.waitingFor ?? 'the end'}`);
    td.stop();
  });
  // Its first events are out already, and may have been lost.
  if (interrupts.received !== undefined) td.stop();

  const pausing = listenForPausing({ td, io, handOver: () => terminal.handOver() });
  const becameRunnable = await td.runnable;
  if (becameRunnable) {
    shown.guarded(() => view.runnable())();
    await live(td, { ...running, until, pausing });
  }
  const output = await kept.ended;
  pausing.done();
  terminal.end();
  shown.rethrow();
  const slots = { before: slotsBefore, after: await host.keySlots() };
  view.ended(output, slots);

  throwFailure(output, plan.facts);
  if (plan.facts.kind !== 'kvm') checkSlots(slots);
  if (!becameRunnable)
    throw interrupted(interrupts.received ?? `\`tdctl ${kept.askedToEnd?.verb ?? 'stop'}\``);
}

function isProgress(event: TdRunEvent): boolean {
  return (
    event.event === 'state.entered' || (event.event === 'step.ended' && event.result === 'done')
  );
}
