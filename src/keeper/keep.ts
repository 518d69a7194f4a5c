/** Keeps one TD for one life: runs its chart, writes down what it does before it does it, and answers for it. */
import type { TdOutput } from '../../machines/td-lifecycle/index.ts';
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import type { Host } from '../host/port.ts';
import {
  type ConsoleListener,
  type KeptRun,
  startTd,
  type TdRun,
  type TdRunEvent,
  type TdRunOptions,
} from '../orchestrator/index.ts';
import type { TdPlan } from '../plan/index.ts';
import { act } from './actions.ts';
import type { KeptSurface } from './api/surface.ts';
import { Tally } from './api/tally.ts';
import { endsLife, type KeptVerb } from './api/verbs.ts';
import { aroundAll, type Companion } from './companion.ts';
import { type ChartName, hasGivenBack, isWritten } from './journaling.ts';
import type { KeptTd } from './kept-td.ts';
import type { Life } from './life.ts';
import { type DoorOptions, moveDoor } from './move/door.ts';
import { restStates } from './status-keeping.ts';

export interface KeepOptions {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly life: Life;
  readonly inWords: (event: TdRunEvent) => TdRunEvent<ErrorInWords>;
  /** Hears each event once it is written down. */
  readonly onEvent?: ((event: TdRunEvent, words: TdRunEvent<ErrorInWords>) => void) | undefined;
  /** Hears what the guest writes, besides the log. */
  readonly console?: ConsoleListener | undefined;
  readonly tellsRequests?: boolean | undefined;
  readonly companions?: readonly Companion[] | undefined;
  /** Who makes and runs the TD; without it, tdctl does so itself. */
  readonly engine?: Engine | undefined;
  /** The directory of the TD, which another keeper may follow in; without it, none can. */
  readonly directory?: DoorOptions['directory'];
  /** Where it begins the next keeper itself. */
  readonly beginNext?: KeptSurface['beginNext'];
  /** Where the console is a socket of its own, which goes along then. */
  readonly consoleSocket?: DoorOptions['consoleSocket'];
  /** So long may another keeper that conducts a move say nothing. */
  readonly patienceMs?: number | undefined;
  /** Starts the run, where that is part of something larger: it hands on all that it is given. */
  readonly start?: ((options: TdRunOptions) => TdRun) | undefined;
  /** Adds what is to come of the TD, where others can be seen that share the host with it. */
  readonly outlook?: ((td: KeptTd) => Promise<KeptTd>) | undefined;
}

export interface Engine {
  readonly chart: ChartName;
  start(hooks: RunHooks): KeptRun;
}

/** What a run is given that is kept. */
export type RunHooks = Required<Pick<TdRunOptions, 'aroundStep' | 'onEvent' | 'onChartEvent'>> &
  Pick<TdRunOptions, 'console' | 'tellsRequests'>;

export interface Kept {
  readonly run: KeptRun;
  /** Resolves once all is given back and written down. */
  readonly ended: Promise<TdOutput>;
  readonly surface: KeptSurface;
  /** Who asked for its end first, while it was not over; undefined where nobody has. */
  readonly askedToEnd: AskedToEnd | undefined;
}

export interface AskedToEnd {
  readonly verb: KeptVerb;
  readonly isQueued: boolean;
}

export function keep(options: KeepOptions): Kept {
  const { host, plan, life, inWords, onEvent, console, engine, companions = [] } = options;
  const { journaling, status } = life;
  const tally = new Tally();
  status.planned(plan);
  if (engine !== undefined) journaling.follows(engine.chart);
  // The first events come before the run is at hand.
  let run: KeptRun | undefined;
  let defect: { readonly error: unknown } | undefined;
  const write = (event: TdRunEvent) => {
    const words = inWords(event);
    if (isWritten(event)) {
      journaling.note({ kind: 'event', told: words }, { flush: hasGivenBack(event) });
      tally.take(words);
      if (event.event === 'state.entered' && restStates.includes(event.state)) {
        journaling.rest(run?.persisted);
      }
      status.event(words, { context: run?.context, waitingFor: run?.waitingFor });
    }
    onEvent?.(event, words);
    const { holdsKeySlot = false } = run?.context ?? {};
    for (const companion of companions) companion.event?.(event, { holdsKeySlot });
  };
  const hooks: RunHooks = {
    tellsRequests: options.tellsRequests,
    aroundStep: aroundAll(companions, journaling.aroundStep),
    onChartEvent: journaling.chartEvent,
    console: {
      console(bytes, lostBytes) {
        life.console.print(bytes, lostBytes);
        console?.console(bytes, lostBytes);
      },
      debugConsole: (bytes, lostBytes) => console?.debugConsole(bytes, lostBytes),
    },
    onEvent(event) {
      try {
        write(event);
      } catch (error) {
        // It must not leave the chart half way, with a TD held.
        defect ??= { error };
        run?.stop();
      }
    },
  };
  const ownRun =
    engine === undefined ? (options.start ?? startTd)({ host, plan, ...hooks }) : undefined;
  const begun = ownRun ?? (engine as Engine).start(hooks);
  run = begun;
  const ended = begun.ended.then(async (output) => {
    life.over(output.outcome, output.leftovers.length);
    for (const companion of companions) await companion.ended?.(output);
    if (defect !== undefined) throw defect.error;
    return output;
  });
  // Whoever keeps it awaits this; it must not be an unhandled rejection before.
  ended.catch(() => undefined);
  let askedToEnd: AskedToEnd | undefined;
  const surface = surfaceOf(begun, {
    ...{ life, tally, outlook: options.outlook, beginNext: options.beginNext },
    move: moveDoor(ownRun, { ...options, hasEnd: () => askedToEnd !== undefined }),
    onEnd(verb) {
      askedToEnd ??= { verb, isQueued: status.state === 'queued' };
    },
  });
  return {
    ...{ run: begun, ended, surface },
    get askedToEnd() {
      return askedToEnd;
    },
  };
}

interface Answering extends Pick<KeepOptions, 'outlook'>, Pick<KeptSurface, 'move' | 'beginNext'> {
  readonly life: Life;
  readonly tally: Tally;
  /** Is told before the TD is asked to. */
  readonly onEnd: (verb: KeptVerb) => void;
}

function surfaceOf(run: KeptRun, answering: Answering): KeptSurface {
  const { life, tally, outlook, onEnd, move, beginNext } = answering;
  const { journaling, status, console, feed } = life;
  const td = async () => (outlook === undefined ? status.td() : await outlook(status.td()));
  let typedBytes = 0;
  return {
    name: life.name,
    identity: life.keeper,
    td,
    async act(verb, { by = null, graceMs }) {
      // The end of a TD is remembered while it is on its way, and all else is asked of whoever has it then.
      if (!endsLife(verb)) await move.settled();
      move.checkHere();
      journaling.note({ kind: 'asked', verb, peer: by }, { flush: true });
      if (endsLife(verb)) onEnd(verb);
      const changed = await act(run, verb, { graceMs });
      return { td: await td(), changed };
    },
    move,
    beginNext,
    refused: (by) => journaling.note({ kind: 'refused', peer: by }),
    feed,
    console: {
      path: console.path,
      get goesOn() {
        return move.hasLeft;
      },
      get sizeBytes() {
        return console.sizeBytes;
      },
      input(bytes) {
        const taken = move.typed(bytes) ?? run.input(bytes);
        typedBytes += taken;
        return taken;
      },
      subscribe: (listener) => console.subscribe(listener),
    },
    metrics: () => ({
      ...tally.counted(),
      exits: run.exits,
      printedBytes: console.printedBytes,
      typedBytes,
    }),
  };
}
