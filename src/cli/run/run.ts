/** `tdctl run`: from a file to a TD and back to nothing. */

import { defaultKernelAbi } from '../../abi/kvm/kernels/index.ts';
import { type FirmwareImage, loadFirmware } from '../../firmware/index.ts';
import type { Host } from '../../host/port.ts';
import { startTd, type TdRunEvent } from '../../orchestrator/index.ts';
import { planTd, type TdPlan } from '../../plan/index.ts';
import { askHost } from '../../plan/judge/index.ts';
import type { RecordedFaults } from '../../simulator/index.ts';
import { loadTrustDomain } from '../../spec/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { GuardedView } from '../guarded-view.ts';
import { openHostToActOn } from '../host-to-act-on.ts';
import { type Interrupts, listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { openRunLog, type RunLog } from '../log.ts';
import { say } from '../output/print.ts';
import { bootImagesOf, filesNamedIn } from '../spec-files.ts';
import { faultsNotMet } from '../unmet-faults.ts';
import { eventInWords } from '../words.ts';
import { openRunView } from './open-view.ts';
import type { RunOptions } from './options.ts';
import { checkSlots, interrupted, throwFailure } from './outcome.ts';
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
    const spec = await loadTrustDomain(source.specPath);
    io.files.reads(...filesNamedIn(spec));
    const firmware = await loadFirmware(spec.firmware);
    const told = { onFailure: io.losses.add, signal: interrupts.signal };
    const log = await openRunLog({ level: options.logLevel, file: options.logFile, ...told }, io);
    try {
      await runOnHost({ options, source, faults, spec, firmware, log, interrupts, io });
    } finally {
      await log.end();
    }
  } finally {
    interrupts.done();
  }
}

interface OnHost {
  readonly options: RunOptions;
  readonly source: RunSource;
  readonly faults: RecordedFaults | undefined;
  readonly spec: TrustDomain;
  readonly firmware: FirmwareImage;
  readonly log: RunLog;
  readonly interrupts: Interrupts;
  readonly io: CommandIo;
}

async function runOnHost(given: OnHost): Promise<void> {
  const { options, source, faults, spec, firmware, log, interrupts, io } = given;
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
    await runPlan({ host, plan, view, log, trace, interrupts, until: options.until, io });
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

interface Running {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly view: RunView;
  readonly log: RunLog;
  readonly trace: TraceFile | undefined;
  readonly interrupts: Interrupts;
  readonly until: RunOptions['until'];
  readonly io: CommandIo;
}

async function runPlan({
  host,
  plan,
  view,
  log,
  trace,
  interrupts,
  until,
  io,
}: Running): Promise<void> {
  const slotsBefore = await host.keySlots();
  if (interrupts.received !== undefined) throw interrupted(interrupts.received);
  view.planned(plan, slotsBefore);

  const shown = new GuardedView();
  const onEvent = shown.guarded((event: TdRunEvent) => {
    const printed = eventInWords(event, plan.facts);
    log.write(printed);
    trace?.note(event);
    view.event(printed);
  });
  const td = startTd({ host, plan, onEvent });
  interrupts.onInterrupt((times) => {
    if (times > 1) say(io, `already stopping: waiting for ${td.waitingFor ?? 'the end'}`);
    td.stop();
  });
  // Its first events are out already, and may have been lost.
  if (interrupts.received !== undefined) td.stop();

  const becameRunnable = await td.runnable;
  if (becameRunnable) {
    shown.guarded(() => view.runnable({ holds: until === undefined }))();
    if (until === 'runnable') td.stop();
  }
  const output = await td.ended;
  shown.rethrow();
  const slots = { before: slotsBefore, after: await host.keySlots() };
  view.ended(output, slots);

  throwFailure(output, plan.facts);
  if (plan.facts.kind !== 'kvm') checkSlots(slots);
  if (interrupts.received !== undefined && !becameRunnable) throw interrupted(interrupts.received);
}
