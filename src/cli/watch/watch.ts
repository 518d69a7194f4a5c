/** `tdctl watch`: plays a scenario, and shows it while it goes on; or shows a TD that somebody else keeps. */
import type { ExitCode } from '../../errors/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { Feed } from '../../feed/index.ts';
import { buildReport, factsIn, type RecordedEvent } from '../../rehearsal/index.ts';
import { Pacer, type WatchMessage, type WatchServer, watchFeed } from '../../watch/index.ts';
import { GuardedView } from '../guarded-view.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { askedFor } from '../rehearse/command-line.ts';
import { endOfRehearsal } from '../rehearse/end-of-rehearsal.ts';
import { numbersOf } from '../rehearse/options.ts';
import { printReport } from '../rehearse/print-report.ts';
import { openSource, type Source } from '../rehearse/source.ts';
import { uselessOption } from '../useful-options.ts';
import { eventInWords } from '../words.ts';
import { addressOf, paceOf, rehearsalOptions, type WatchCommandOptions } from './options.ts';
import { type PreparedRun, prepareRun } from './prepare-run.ts';
import { servePage, untilInterrupted } from './serving.ts';
import { type TreeView, treeView } from './tree-view.ts';
import { keptTdNamed, watchKept } from './watch-kept.ts';

export async function watch(options: WatchCommandOptions, io: CommandIo): Promise<ExitCode> {
  const kept = await keptTdNamed(options.file, io);
  return kept === undefined ? watchRun(options, io) : watchKept(kept, options, io);
}

async function watchRun(options: WatchCommandOptions, io: CommandIo): Promise<ExitCode> {
  const address = addressOf(options);
  const pace = paceOf(options);
  const rehearsal = rehearsalOptions(options);
  const interrupts = listenForInterrupts();
  try {
    const source = await openSource(rehearsal, { numbers: numbersOf(rehearsal), files: io.files });
    refuseKernels(source);
    const prepared = await prepareRun(source, io);
    refusePace(prepared, options);
    let server: WatchServer | undefined;
    const pacer = prepared.canHold ? new Pacer(pace, () => server?.tellPace()) : undefined;
    const feed = watchFeed();
    if (address !== undefined) {
      server = await servePage(address, { facts: prepared.facts, feed, pacer }, io);
    }
    const tree = options.tree === true ? treeView(io) : undefined;
    interrupts.onInterrupt(() => pacer?.release());
    if (interrupts.received !== undefined) pacer?.release();
    try {
      const run = await play({ prepared, pacer, feed, tree });
      const report = buildReport({
        ...askedFor(source, rehearsal),
        scenario: prepared.scenario,
        run,
      });
      const end = endOf(() => endOfRehearsal(report, interrupts));
      feed.publish({ kind: 'end', exitCode: end.exitCode, text: end.text });
      await printReport(report, { format: 'text', io });
      if (server !== undefined && options.untilEnd !== true) {
        await untilInterrupted(interrupts, { what: 'the run is over', io });
      }
      if (end.error !== undefined) throw end.error;
      return end.exitCode;
    } finally {
      await server?.close();
    }
  } finally {
    interrupts.done();
  }
}

/** Nothing holds the steps of a real host, so its pace is its own. */
function refusePace({ canHold }: PreparedRun, { speed, paused }: WatchCommandOptions): void {
  const option = paused === true ? '--paused' : speed === undefined ? undefined : '--speed';
  if (canHold || option === undefined) return;
  throw uselessOption(
    option,
    'a real host goes at its own pace, and only `--host sim` can be held',
  );
}

function refuseKernels({ kernels = [] }: Source): void {
  if (kernels.length < 2) return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a kernel',
    message: `the file names ${kernels.length} kernels, and one of them can be watched at a time`,
    hint: `choose one: --kernel ${kernels[0]}`,
  });
}

interface Playing {
  readonly prepared: PreparedRun;
  readonly pacer: Pacer | undefined;
  readonly feed: Feed<WatchMessage>;
  readonly tree: TreeView | undefined;
}

async function play({ prepared, pacer, feed, tree }: Playing) {
  const host = factsIn(prepared.scenario);
  const shown = new GuardedView();
  const listener = shown.guarded((recorded: RecordedEvent) => {
    feed.publish({ kind: 'event', ...recorded, event: eventInWords(recorded.event, host) });
    tree?.take(recorded);
  });
  try {
    const run = await prepared.play({
      hooks: pacer === undefined ? {} : { aroundStep: pacer.aroundStep },
      listener,
    });
    shown.rethrow();
    return run;
  } finally {
    tree?.end();
  }
}

interface End {
  readonly exitCode: ExitCode;
  readonly text: string;
  readonly error?: TdctlError;
}

/** A bad end is shown to the viewers as it will be to the shell. */
function endOf(judge: () => ExitCode): End {
  try {
    const exitCode = judge();
    const text = exitCode === 0 ? 'The run is over, as it should be.' : 'The run was cut short.';
    return { exitCode, text };
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    const lines = [error.message, ...(error.details ?? [])];
    if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
    return { exitCode: error.exitCode, text: lines.join('\n'), error };
  }
}
